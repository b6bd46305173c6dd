# make test-pmu: hardware counters on emulated arm64 machines. docs/pmu.md says how.

PMU := $(BUILD)/pmu
PMU_ROOT := $(PMU)/arm64/root
PMU_LIB := $(PMU_ROOT)/usr/lib/aarch64-linux-gnu
PMU_PKG_CONFIG := env PKG_CONFIG_SYSROOT_DIR=$(abspath $(PMU_ROOT)) \
  PKG_CONFIG_LIBDIR=$(abspath $(PMU_LIB)/pkgconfig):$(abspath $(PMU_LIB)/openblas-pthread/pkgconfig) pkg-config

.PHONY: test-pmu pmu-packages pmu-build
test-pmu:
	MAKE="$(MAKE)" BUILD=$(BUILD) tests/pmu/test_pmu.sh

pmu-packages:
	tests/pmu/fetch.sh $(PMU)/arm64

# attnbench for arm64, with the same rules as for this machine. After pmu-packages.
pmu-build:
	$(MAKE) $(PMU)/build/attnbench BUILD=$(PMU)/build SANITIZE= AR=aarch64-linux-gnu-ar \
	  CC="aarch64-linux-gnu-gcc --sysroot=$(abspath $(PMU_ROOT))" \
	  CXX="aarch64-linux-gnu-g++ --sysroot=$(abspath $(PMU_ROOT))" PKG_CONFIG="$(PMU_PKG_CONFIG)"
