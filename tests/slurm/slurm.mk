# make test-slurm: a sweep as a job array, on a Slurm of its own (docs/cluster.md).

.PHONY: test-slurm
test-slurm: $(BUILD)/attnbench
	@BUILD=$(BUILD) tests/slurm/test_slurm.sh
