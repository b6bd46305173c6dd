# attnbench: `make`, `make test`, `make lint`, `make format`. Set-up of packages: ./run_all.sh
#
#   BUILD=dir             where everything that is built goes (default build)
#   SANITIZE=a,b          build with -fsanitize=a,b (set BUILD too, so that objects do not mix)
#   WERROR=1              warnings are errors (CI sets it)
#   PARTS=0               encoders without the markers of their parts: no time and no counters by part (set BUILD too)

BUILD ?= build
CC ?= gcc
CXX ?= g++
PKG_CONFIG ?= pkg-config
ifeq ($(origin CC),default)
CC := gcc
endif

PACKAGES := openblas jansson yaml-0.1 sndfile flac kissfft-float popt
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(WERROR),-Werror)
SAN := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
OPT := $(if $(SANITIZE),-O1,-O3)
COMMON := -g $(OPT) $(if $(filter 0,$(PARTS)),-DATTN_NO_PARTS) -fno-math-errno -fno-trapping-math -fopenmp-simd -pthread -D_GNU_SOURCE $(SAN) $(WARN)
INCLUDES := -I. -Iimpl/include -I$(BUILD)/include
CFLAGS_ALL := -std=c17 $(COMMON) $(INCLUDES) $(PKG_CFLAGS) $(CFLAGS)
CXXFLAGS_ALL := -std=c++17 $(COMMON) $(INCLUDES) $(CXXFLAGS)
# LAPACKE's archive and not its shared library, which brings in whatever LAPACK and BLAS the system's alternatives
# name: this way both are OpenBLAS.
LDLIBS_ALL := -l:liblapacke.a $(PKG_LIBS) -lbenchmark -lpapi -lsde -pthread -lm -lstdc++ -ldl

MACHINE := $(shell $(CC) -dumpmachine)

# One object per instruction set from each file in impl/kernels/isa (chosen at run time by CPU features).
ISAS := base
ISA_FLAGS_base :=
ifneq (,$(findstring x86_64,$(MACHINE)))
ISAS += avx2 avx512
ISA_FLAGS_avx2 := -mavx2 -mfma -mf16c
ISA_FLAGS_avx512 := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c -mprefer-vector-width=512
endif

ISA_SOURCES := $(wildcard impl/kernels/isa/*.c bench/isa/*.c)
LIB_SOURCES := $(filter-out $(ISA_SOURCES),$(wildcard impl/*/*.c))
APP_SOURCES := $(wildcard bench/*.c datasets/*.c harness/*.c harness/*/*.c reports/*.c)
MAIN_OBJECT := $(BUILD)/harness/main.o

isa_objects = $(foreach isa,$(ISAS),$(patsubst %.c,$(BUILD)/%.$(isa).o,$(1)))
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o) $(call isa_objects,$(filter impl/%,$(ISA_SOURCES)))
APP_OBJECTS := $(APP_SOURCES:%.c=$(BUILD)/%.o) $(call isa_objects,$(filter bench/%,$(ISA_SOURCES))) \
               $(patsubst %.cc,$(BUILD)/%.o,$(wildcard bench/*.cc))

.PHONY: all test lint format clean FORCE
all: $(BUILD)/attnbench

$(BUILD)/attnbench: $(APP_OBJECTS) $(BUILD)/libattn.a
	$(CXX) $(SAN) -o $@ $^ $(LDLIBS_ALL)

$(BUILD)/libattn.a: $(LIB_OBJECTS)
	rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS_ALL) -MMD -MP -c -o $@ $<

define isa_rule
$(BUILD)/%.$(1).o: %.c
	@mkdir -p $$(@D)
	$(CC) $(CFLAGS_ALL) $(ISA_FLAGS_$(1)) -ffp-contract=fast -DATTN_ISA=$(1) -MMD -MP -c -o $$@ $$<
endef
$(foreach isa,$(ISAS),$(eval $(call isa_rule,$(isa))))

# What built this: read by `attnbench info` and written into every results file.
$(BUILD)/include/build_info.h: FORCE
	@mkdir -p $(@D)
	@printf '#define BUILD_COMMIT "%s"\n#define BUILD_FLAGS "%s"\n' \
	  "$$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" \
	  "$(strip $(OPT) $(if $(filter 0,$(PARTS)),-DATTN_NO_PARTS) $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(CFLAGS))" > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(APP_OBJECTS) $(LIB_OBJECTS): | $(BUILD)/include/build_info.h

include tests/tests.mk tests/pmu/pmu.mk

-include $(LIB_OBJECTS:.o=.d) $(APP_OBJECTS:.o=.d)

OUR_C := $(shell git ls-files '*.c' '*.h' '*.cc' 2>/dev/null)
format:
	clang-format -i $(OUR_C)

lint:
	clang-format --dry-run -Werror $(OUR_C)
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance --inline-suppr \
	  --suppress=missingIncludeSystem -D_GNU_SOURCE $(INCLUDES) impl bench datasets harness reports
	tests/check_house.sh

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan
