# Tests. Every tests/test_*.c is one cmocka program that links everything but main.

TEST_SOURCES := $(wildcard tests/test_*.c)
TEST_PROGRAMS := $(TEST_SOURCES:tests/%.c=$(BUILD)/tests/%)
TEST_SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
TEST_OBJECTS := $(filter-out $(MAIN_OBJECT),$(APP_OBJECTS)) $(TEST_SUPPORT)

$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(TEST_OBJECTS) $(BUILD)/libattn.a
	$(CXX) $(SAN) -o $@ $^ -lcmocka $(LDLIBS_ALL)

-include $(TEST_PROGRAMS:=.d) $(TEST_SUPPORT:.o=.d)
.PRECIOUS: $(BUILD)/tests/%.o

.PHONY: test test-programs test-run
test-programs: $(TEST_PROGRAMS) $(BUILD)/attnbench

# The tests of one build; `make test` runs them plain and again under ASan and UBSan.
test-run: test-programs
	BUILD=$(BUILD) tests/run.sh

test:
	$(MAKE) test-run BUILD=$(BUILD)
	$(MAKE) test-run BUILD=$(BUILD)-asan SANITIZE=address,undefined

# The expected outputs of tests/golden, made again with Debian's python3-torch and python3-torchaudio.
.PHONY: golden
golden:
	/usr/bin/python3 -B tests/golden/make_golden.py
