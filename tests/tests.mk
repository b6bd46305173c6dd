# Tests. Every test_*.c below tests/ gives a program of its name, with support/ and the archives. Most of these are links to
# one program, as linking takes long; a test that replaces functions at the link (--wrap) has its own.

TEST_SOURCES := $(sort $(shell find tests -name 'test_*.c'))
TEST_PROGRAMS := $(TEST_SOURCES:%.c=$(BUILD)/%)
TEST_SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(call sources_in,tests/support))

# As the folders around the measurement: what is tested has its own flags.
$(BUILD)/tests/%.o: CFLAGS_ALL += $(OPT_AROUND)

# Links in two thirds of the time, and comes with GNU's linker in Debian's binutils.
TEST_LINKER := $(if $(shell command -v ld.gold),-fuse-ld=gold)
TEST_LINK = $(CXX) $(SAN_LINK) $(TEST_LINKER) -o $@ $(filter %.o,$^) $(ARCHIVES) -lcmocka $(LDLIBS_ALL)

# One program each. The functions that a test replaces by its own, to see what is done when they go wrong, or how often
# they are called.
WRAPS_tests/bench/test_bench_encoder := attn_session_run
WRAPS_tests/bench/test_cold := bench_evict part_times_take
WRAPS_tests/bench/test_core := attn_attend_shared
WRAPS_tests/bench/test_machine_limits := machine_streams_for machine_clock_for
WRAPS_tests/harness/model/test_profile := attn_session_kv_bytes_formula attn_session_conv_bytes_formula
WRAPS_tests/impl/attention/test_positions := cblas_sgemm cblas_sgemv
TESTS_ALONE := $(patsubst WRAPS_%,%,$(filter WRAPS_tests/%,$(.VARIABLES)))
$(TESTS_ALONE:%=$(BUILD)/%): %: %.o $(TEST_SUPPORT) $(SAN_OBJECT) $(ARCHIVES)
	$(TEST_LINK) $(WRAPS_$(@:$(BUILD)/%=%):%=-Wl,--wrap=%)

# The training passes in double, for gradients by finite differences (impl/train/passes/real.h).
F64_OBJECTS := $(patsubst %.c,$(BUILD)/%.f64.o,$(call sources_in,impl/train/passes))
$(BUILD)/%.f64.o: %.c | $(BUILD)/include/build_info.h
	$(CC) $(CFLAGS_ALL) -DATTN_TRAIN_F64 -DATTN_ISA=f64 -MMD -MP -c -o $@ $<
-include $(F64_OBJECTS:.o=.d)

# The others: one program, by the names of all of them. Some run commands without starting attnbench, one asks libpfm for
# the names that PAPI takes from it.
TESTS_SHARED := $(filter-out $(TESTS_ALONE),$(TEST_SOURCES:%.c=%))
main_of = main_of_$(subst /,_,$(1))
$(foreach t,$(TESTS_SHARED),$(eval $(BUILD)/$(t).o: CFLAGS_ALL += -Dmain=$(call main_of,$(t))))
$(BUILD)/include/tests/shared_tests.inc: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(foreach t,$(TESTS_SHARED),'TEST("$(t)", $(call main_of,$(t)))') > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/tests/shared_main.o: $(BUILD)/include/tests/shared_tests.inc
$(BUILD)/tests/shared: $(TESTS_SHARED:%=$(BUILD)/%.o) $(BUILD)/tests/shared_main.o $(F64_OBJECTS) $(TEST_SUPPORT) \
  $(filter-out %/main.o,$(OBJECTS_cli)) $(SAN_OBJECT) $(ARCHIVES)
	$(TEST_LINK) -lpfm
$(TESTS_SHARED:%=$(BUILD)/%): $(BUILD)/tests/shared
	@ln -f $< $@

# attnbench itself, with a door for the cases of tests/bad. In the build's folder, from which it finds configs.
$(BUILD)/attnbench_bad: $(BUILD)/tests/bad/run_cases.o $(OBJECTS_cli) $(SAN_OBJECT) $(ARCHIVES)
	$(CXX) $(SAN_LINK) $(TEST_LINKER) -Wl,--wrap=main -o $@ $^ $(LDLIBS_ALL)
-include $(BUILD)/tests/bad/run_cases.d

# Fuzz targets, tests/fuzz/fuzz_*.c: here with a driver of our own, below with libFuzzer.
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_PROGRAMS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(BUILD)/tests/fuzz/%)
FUZZ_TARGETS := $(FUZZ_SOURCES:tests/fuzz/fuzz_%.c=%)

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/driver.o $(TEST_SUPPORT) $(SAN_OBJECT) $(ARCHIVES)
	$(CXX) $(SAN_LINK) $(TEST_LINKER) -o $@ $^ -lcmocka $(LDLIBS_ALL)

$(BUILD)/tests/fuzz/libfuzzer_%: $(BUILD)/tests/fuzz/fuzz_%.o $(TEST_SUPPORT) $(ARCHIVES)
	$(CXX) $(SAN) -fsanitize=fuzzer -o $@ $^ -lcmocka $(LDLIBS_ALL)

-include $(FUZZ_PROGRAMS:=.d) $(BUILD)/tests/fuzz/driver.d
-include $(TEST_PROGRAMS:=.d) $(TEST_SUPPORT:.o=.d) $(BUILD)/tests/shared_main.d
.PRECIOUS: $(BUILD)/%.o

# Preloaded by tests of counters: a PMU that is not there.
$(BUILD)/tests/perf_shim.so: tests/pmu_shim/perf_shim.c
	@mkdir -p $(@D)
	$(CC) -shared -fPIC -std=c17 -g -O1 -D_GNU_SOURCE $(WARN) -o $@ $< -ldl

# Tests of the gate start it thousands of times: it has no library to load, where there is a static one, and no sanitizer.
STATIC := $(if $(wildcard $(shell $(CC) -print-file-name=libc.a)),-static)
$(BUILD)/tests/cli/gate/fake_attnbench: tests/cli/gate/fake_attnbench.c
	@mkdir -p $(@D)
	$(CC) -std=c17 -g1 -O1 -D_GNU_SOURCE $(WARN) $(STATIC) -o $@ $< -lm

.PHONY: test test-programs test-run asan-programs fuzz fuzz-run
test-programs: $(TEST_PROGRAMS) $(FUZZ_PROGRAMS) $(BUILD)/tests/perf_shim.so \
  $(BUILD)/tests/cli/gate/fake_attnbench $(BUILD)/attnbench $(BUILD)/attnbench_bad $(BUILD)/libattn.a

ASAN := BUILD=$(BUILD)-asan SANITIZE=address,undefined
asan-programs:
	+$(MAKE) test-programs $(ASAN)

# Data races, found by ThreadSanitizer: the tests of threads, each linked with no more than it calls. OpenBLAS is not
# instrumented; here it has one thread.
TSAN := BUILD=$(BUILD)-tsan SANITIZE=thread OPT=-Og
RACES_BOTH := tests/support/threads.c \
  $(call sources_in,impl/attention impl/cache impl/encoder impl/io impl/kernels impl/model) \
  $(addprefix base/,$(addsuffix .c,alloc compare cpu error file memory random threads)) $(wildcard base/text/[aujy]*.c)
RACES_RUN := tests/impl/model/test_threads.c tests/support/models/encoders.c harness/verify/encoder_draw.c
RACES_TRAIN := tests/impl/train/test_train_threads.c tests/support/models/training.c $(call sources_in,impl/train)
$(BUILD)/tests/races: $(call objects_of,$(RACES_RUN) $(RACES_BOTH))
$(BUILD)/tests/races_train: $(call objects_of,$(RACES_TRAIN) $(RACES_BOTH))
$(BUILD)/tests/races: TEST := tests/impl/model/test_threads
$(BUILD)/tests/races_train: TEST := tests/impl/train/test_train_threads
$(BUILD)/tests/races $(BUILD)/tests/races_train:
	$(CXX) $(SAN) -Wl,--defsym=main=$(call main_of,$(TEST)) -o $@ $^ -lcmocka $(LDLIBS_ALL)

.PHONY: tsan tsan-programs
tsan-programs:
	+$(MAKE) $(BUILD)-tsan/tests/races $(TSAN)
tsan: tsan-programs
	+$(MAKE) $(BUILD)-tsan/tests/races_train $(TSAN)
	OPENBLAS_NUM_THREADS=1 $(BUILD)-tsan/tests/races
	OPENBLAS_NUM_THREADS=1 $(BUILD)-tsan/tests/races_train

# The tests of one build; `make test` runs them plain and under ASan and UBSan, all side by side. ONLY=regex takes those
# with such a name. Ended with make, however make ends.
RUN_TESTS := setpriv --pdeathsig TERM tests/run.pl $(if $(JOBS),--jobs $(JOBS)) $(if $(ONLY),--only '$(ONLY)')
test-run: test-programs
	$(RUN_TESTS) $(BUILD)

test: test-programs asan-programs tsan-programs
	$(RUN_TESTS) $(BUILD) $(BUILD)-asan

# What counting costs: the same program with counters on and off, alternating, BUDGET=3m of it.
.PHONY: overhead
overhead: $(BUILD)/attnbench
	BUILD=$(BUILD) tests/measure/overhead.sh

# axe-core, which looks at the page for people who see or move otherwise: fetched for the tests only.
.PHONY: axe page-shots docs-picture
axe:
	mkdir -p $(BUILD)/axe && cd $(BUILD)/axe && npm install --ignore-scripts --no-audit --no-fund axe-core@4

# Pictures of the page at three widths in both schemes and print, below $(BUILD)/page-shots.
RESULTS ?= $(firstword $(wildcard out/quick.json) tests/data/results_sample.json)
page-shots: $(BUILD)/attnbench
	$(BUILD)/attnbench report $(RESULTS) --out $(BUILD)/page-shots/report
	tests/page_shots.sh $(BUILD)/page-shots/report $(BUILD)/page-shots

# The picture on README's first screen, of a sweep with the plan quick, and of a study where there is one.
STUDY ?= $(wildcard out/study)
docs-picture: $(BUILD)/attnbench
	$(BUILD)/attnbench report $(RESULTS) $(if $(STUDY),--study $(STUDY)) --out $(BUILD)/docs-picture
	cp $(BUILD)/docs-picture/plots/overview.svg docs/overview.svg

# The expected outputs of tests/golden, made again with Debian's python3-torch and python3-torchaudio.
.PHONY: golden
golden: $(BUILD)/attnbench
	/usr/bin/python3 -B tests/golden/make_golden.py
	/usr/bin/python3 -B tests/golden/make_fbank.py
	/usr/bin/python3 -B tests/golden/make_train.py
	/usr/bin/python3 -B tests/golden/make_speech.py $(BUILD)/attnbench

# Each fuzz target for FUZZ_SECONDS; what it finds is left in $(BUILD)-fuzz. Needs clang and its runtime
# (libclang-rt-14-dev on Debian 12).
FUZZ_SECONDS ?= 10
fuzz:
	$(MAKE) fuzz-run BUILD=$(BUILD)-fuzz CC=clang CXX=clang++ SANITIZE=fuzzer-no-link,address,undefined

fuzz-run: $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/libfuzzer_%)
	@for target in $(FUZZ_TARGETS); do \
	  echo "fuzz $$target: $(FUZZ_SECONDS) s"; \
	  mkdir -p $(BUILD)/corpus/$$target && \
	  $(BUILD)/tests/fuzz/libfuzzer_$$target -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -timeout=5 -verbosity=0 \
	    -print_final_stats=1 -artifact_prefix=$(BUILD)/$$target- $(BUILD)/corpus/$$target \
	    tests/fuzz/corpus/$$target || exit 1; \
	done
