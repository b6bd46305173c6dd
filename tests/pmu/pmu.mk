# make test-pmu: hardware counters on emulated arm64 machines. docs/pmu.md says how.

PMU := $(BUILD)/pmu
PMU_ROOT := $(abspath $(PMU)/arm64/root)
PMU_LIB := $(PMU_ROOT)/usr/lib/aarch64-linux-gnu

.PHONY: test-pmu pmu-build
test-pmu:
	@MAKE="$(MAKE)" BUILD=$(BUILD) tests/pmu/test_pmu.sh

# attnbench for arm64, by the same rules as for this machine; the packages are there already.
pmu-build:
	$(MAKE) $(PMU)/build/attnbench BUILD=$(PMU)/build SANITIZE= CFLAGS= CXXFLAGS= AR=aarch64-linux-gnu-ar \
	  CC="aarch64-linux-gnu-gcc --sysroot=$(PMU_ROOT)" CXX="aarch64-linux-gnu-g++ --sysroot=$(PMU_ROOT)" \
	  PKG_CONFIG="env PKG_CONFIG_SYSROOT_DIR=$(PMU_ROOT) \
	  PKG_CONFIG_LIBDIR=$(PMU_LIB)/pkgconfig:$(PMU_LIB)/openblas-pthread/pkgconfig pkg-config"
	aarch64-linux-gnu-gcc --sysroot=$(PMU_ROOT) -std=c17 -D_GNU_SOURCE -O2 $(WARN) -o $(PMU)/build/hold tests/pmu/hold.c
