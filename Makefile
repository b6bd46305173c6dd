# attnbench: `make`, `make test`, `make lint`, `make format`, `make install`. Set-up of packages: ./run_all.sh
#
#   BUILD=dir             where everything that is built goes (default build)
#   SANITIZE=a,b          build with -fsanitize=a,b (set BUILD too, so that objects do not mix)
#   WERROR=1              warnings are errors (CI sets it)
#   PARTS=0               encoders without the markers of their parts: no time and no counters by part (set BUILD too)

VERSION := 0.2.0

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
# UBSan ends a program by a trap, and tests/run_one.pl has ASan print where. A message for each place that is checked would
# take 5 MiB of a program, a sixth of the time to compile it and a quarter of the time to start it.
TRAP := $(if $(filter address%undefined,$(SANITIZE)),-fsanitize-undefined-trap-on-error)
SAN := $(if $(SANITIZE),-fsanitize=$(SANITIZE) $(TRAP) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Linked like this, a program with ASan starts in three quarters of the time; tests start thousands of them.
SAN_LINK := $(SAN) $(if $(filter address%,$(SANITIZE)),-no-pie -static-libasan -static-libubsan)
SAN_OBJECT := $(if $(filter address%,$(SANITIZE)),$(BUILD)/tests/asan_pages.o)
# Loops that sanitizers check are not made faster by vectors, and reductions lose half their speed to the attempt.
OPT := $(if $(SANITIZE),-O1 -fno-tree-loop-vectorize,-O3)
# How fast a loop is must not depend on where the linker puts its function: each starts at a line of the cache.
ALIGN := $(if $(SANITIZE),,-falign-functions=64)
# What arranges, prints and draws compiles in half the time with these; what is measured, and what computes, has OPT.
# (At -O0 parts of an object that do not overlap look as if they did.)
OPT_AROUND := $(if $(SANITIZE),-O0 -Wno-restrict,-O1)
COMMON := -g1 $(OPT) $(ALIGN) $(if $(filter 0,$(PARTS)),-DATTN_NO_PARTS) -fno-math-errno -fno-trapping-math -fopenmp-simd -pthread -D_DEFAULT_SOURCE $(SAN) $(WARN)
INCLUDE_DIRS := . impl/include base/include $(BUILD)/include
INCLUDES := $(INCLUDE_DIRS:%=-iquote %) # where headers of the system are not looked for
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

# One static archive a folder, linked in this order and once each: a call upwards finds nothing to link with.
# tests/check_house.sh finds the ones that archives let through.
FOLDERS := reports harness bench impl datasets base
ARCHIVES := $(FOLDERS:%=$(BUILD)/lib%.a)

sources_in = $(sort $(shell find $(1) -name "*.c"))
isa_objects = $(foreach isa,$(ISAS),$(patsubst %.c,$(BUILD)/%.$(isa).o,$(1)))
# The objects of a folder's C files: those in a folder isa/ once for each instruction set.
objects_of = $(patsubst %.c,$(BUILD)/%.o,$(foreach s,$(1),$(if $(findstring /isa/,$(s)),,$(s)))) \
             $(call isa_objects,$(foreach s,$(1),$(if $(findstring /isa/,$(s)),$(s))))

OBJECTS_cli := $(call objects_of,$(call sources_in,cli))
$(foreach f,$(FOLDERS),$(eval OBJECTS_$(f) := $(call objects_of,$(call sources_in,$(f)))))
OBJECTS_bench += $(BUILD)/bench/gbench.o
OBJECTS_reports += $(BUILD)/reports/page/page_files.o
OBJECTS := $(OBJECTS_cli) $(foreach f,$(FOLDERS),$(OBJECTS_$(f)))

.PHONY: all test lint format clean FORCE
all: $(BUILD)/attnbench $(BUILD)/libattn.a

$(BUILD)/attnbench: $(OBJECTS_cli) $(SAN_OBJECT) $(ARCHIVES)
	$(CXX) $(SAN_LINK) -o $@ $^ $(LDLIBS_ALL)

define archive_rule
$(BUILD)/lib$(1).a: $(OBJECTS_$(1))
	rm -f $$@ && $(AR) qcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call archive_rule,$(f))))

# For users of the library: impl, what has a public header in base, and what these need of base.
OBJECTS_public := $(OBJECTS_impl) $(filter $(patsubst base/include/attn/%.h,$(BUILD)/base/%.o,$(wildcard base/include/attn/*.h)),$(OBJECTS_base))
$(BUILD)/libattn.a: $(OBJECTS_impl) $(OBJECTS_base)
	rm -f $@ && $(AR) qcs $@ $(OBJECTS_public) $$(tests/needed_objects.sh $(OBJECTS_public) -- $(filter-out $(OBJECTS_public),$(OBJECTS_base)))

# The page's templates, style sheet and script, which the program carries with it.
PAGE_FILES := $(sort $(wildcard reports/page/*.html reports/fleet/*.html reports/page/*.css reports/page/*.js))
$(BUILD)/reports/page/page_files.c: $(PAGE_FILES) reports/page/embed.sh FORCE
	@mkdir -p $(@D)
	@reports/page/embed.sh $(PAGE_FILES) > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/reports/page/page_files.o: $(BUILD)/reports/page/page_files.c
	$(CC) $(CFLAGS_ALL) -c -o $@ $<

$(foreach f,cli reports harness,$(BUILD)/$(f)/%.o): CFLAGS_ALL += $(OPT_AROUND) $(CFLAGS)
ifneq (,$(filter address%,$(SANITIZE)))
# The kernels, plain ones and fast ones, and loops of training: what tests of computing take under sanitizers.
$(foreach f,kernels/scalar attention/scalar attention/linear cache/element encoder/scalar,$(BUILD)/impl/$(f).o): \
  CFLAGS_ALL += -O2 $(CFLAGS)
$(BUILD)/impl/kernels/isa/%.o: CFLAGS_ALL += -O2 $(CFLAGS)
$(BUILD)/impl/train/passes/isa/%.o: CFLAGS_ALL += -O2 $(CFLAGS)
endif

# build_info.h comes first, and with it the folders of all objects.
$(BUILD)/%.o: %.c | $(BUILD)/include/build_info.h
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.cc | $(BUILD)/include/build_info.h
	$(CXX) $(CXXFLAGS_ALL) -MMD -MP -c -o $@ $<

define isa_rule
$(BUILD)/%.$(1).o: %.c | $(BUILD)/include/build_info.h
	$$(CC) $$(CFLAGS_ALL) $(ISA_FLAGS_$(1)) -ffp-contract=fast -DATTN_ISA=$(1) -MMD -MP -c -o $$@ $$<
endef
$(foreach isa,$(ISAS),$(eval $(call isa_rule,$(isa))))

OBJECT_FOLDERS := $(sort $(dir $(call sources_in,cli $(FOLDERS) tests)))
# What built this: read by `attnbench info` and written into every results file.
$(BUILD)/include/build_info.h: FORCE
	@mkdir -p $(@D) $(OBJECT_FOLDERS:%=$(BUILD)/%)
	@printf '#define BUILD_VERSION "%s"\n#define BUILD_COMMIT "%s"\n#define BUILD_FLAGS "%s"\n' "$(VERSION)" \
	  "$$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)" \
	  "$(strip $(OPT) $(if $(filter 0,$(PARTS)),-DATTN_NO_PARTS) $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(CFLAGS))" > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

include tests/tests.mk tests/pmu/pmu.mk tests/slurm/slurm.mk

-include $(OBJECTS:.o=.d)

OUR_C := $(shell git ls-files '*.c' '*.h' '*.cc' 2>/dev/null)
OUR_DOCS := $(shell git ls-files '*.md' 2>/dev/null)
format:
	clang-format -i $(OUR_C)
	tests/wrap_docs.py $(OUR_DOCS)

# Each on its own: `make -j2 lint`. shellcheck runs where it is installed.
.PHONY: lint-format lint-c lint-house lint-scripts
lint: lint-format lint-c lint-house lint-scripts
lint-format:
	clang-format --dry-run -Werror $(OUR_C)
	tests/wrap_docs.py --check $(OUR_DOCS)
lint-c: $(BUILD)/include/build_info.h
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability,performance --inline-suppr \
	  --suppress=missingIncludeSystem -D_DEFAULT_SOURCE $(INCLUDE_DIRS:%=-I%) cli $(FOLDERS)
lint-house: $(BUILD)/attnbench
	BUILD=$(BUILD) tests/check_house.sh
lint-scripts:
	@if command -v shellcheck >/dev/null; then shellcheck --severity=warning .ci/run harness/slurm/attnbench.sbatch $(shell git ls-files '*.sh' 2>/dev/null); \
	else echo "shellcheck is not installed: scripts are not checked"; fi

include install.mk

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan
