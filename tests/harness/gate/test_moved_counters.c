/* What moved, as counters of both sides show. */
#include "tests/support/cmocka_all.h"

#include "harness/gate/decide/moved_counters.h"

#include <string.h>

enum { INSTRUCTIONS, CYCLES, IPC, MISSES, FAULTS = 8 };

/* A process whose two repetitions read the same. */
static json_t *process(const char *counters) {
    json_error_t why;
    json_t *one = json_loads(counters, 0, &why);
    assert_non_null(one);
    json_t *entries = json_pack("[{sO} {so}]", "counters", one, "counters", one);
    return entries;
}

static void add(moved_counter *counters, size_t side, const char *text) {
    json_t *entries = process(text);
    moved_add(counters, side, entries);
    json_decref(entries);
}

static void add_simulated(moved_counter *counters, size_t side, const char *text) {
    json_t *entries = process(text);
    moved_add_simulated(counters, side, entries);
    json_decref(entries);
}

static void expect(const moved_counter *counters, const char *start, const char *part) {
    json_t *o = moved_json(counters, "time");
    const char *summary = json_string_value(json_object_get(o, "summary"));
    assert_non_null(summary);
    if (strncmp(summary, start, strlen(start)) || !strstr(summary, part))
        fail_msg("\"%s\" does not start with \"%s\", or lacks \"%s\"", summary, start, part);
    assert_int_equal(json_array_size(json_object_get(o, "counters")), MOVED_COUNTERS);
    json_decref(o);
}

static const char *const base_text =
    "{\"instructions\": {\"source\": \"perf\", \"value\": 1000, \"validation\": \"trusted\"},"
    " \"cycles\": {\"source\": \"perf\", \"value\": 500, \"validation\": \"trusted\"},"
    " \"page_faults_minor\": {\"source\": \"kernel\", \"value\": 0, \"validation\": \"rejected\"},"
    " \"l2_misses\": {\"unavailable\": \"no such event\"}}";

static void test_instructions_and_ipc(void **state) {
    (void)state;
    moved_counter c[MOVED_COUNTERS] = {0};
    for (int i = 0; i < MOVED_LEAST; i++) {
        add(c, 0, base_text);
        add(c, 1,
            "{\"instructions\": {\"source\": \"perf\", \"value\": 1100, \"validation\": \"trusted\"},"
            " \"cycles\": {\"source\": \"perf\", \"value\": 1000, \"validation\": \"trusted\"},"
            " \"page_faults_minor\": {\"source\": \"kernel\", \"value\": 0, \"validation\": \"rejected\"}}");
    }
    expect(
        c,
        "instructions +10% (perf), cycles +100% (perf), ipc -45% (perf) moved; the same: page_faults_minor",
        "cannot be counted here: l1d_misses");
}

/* Where one of the two could not be read, what another process read does not stand in for it. */
static void test_ipc_is_of_one_process(void **state) {
    (void)state;
    moved_counter c[MOVED_COUNTERS] = {0};
    add(c, 0, "{\"cycles\": {\"source\": \"perf\", \"value\": 500, \"validation\": \"trusted\"}}");
    add(c, 0, "{\"instructions\": {\"source\": \"perf\", \"value\": 9, \"validation\": \"trusted\"}}");
    assert_int_equal(c[IPC].count[0], 0);
    add(c, 0, base_text);
    add(c, 0, "{}");
    assert_int_equal(c[IPC].count[0], 1);
    assert_true(c[IPC].value[0][0] == 2);
}

static void add_some(moved_counter *counters, size_t side, const char *text, size_t processes) {
    for (size_t i = 0; i < processes; i++)
        add(counters, side, text);
}

static const char *const faulting =
    "{\"instructions\": {\"source\": \"perf\", \"value\": 1000, \"validation\": \"trusted\"},"
    " \"page_faults_minor\": {\"source\": \"kernel\", \"value\": 3.5}}";

static void test_faults_from_none(void **state) {
    (void)state;
    moved_counter c[MOVED_COUNTERS] = {0};
    add_some(c, 0, base_text, MOVED_LEAST);
    add_some(c, 1, faulting, MOVED_LEAST);
    expect(c, "page_faults_minor from 0 to 3.5 (kernel) moved; the same: instructions", "cycles");
}

/* Where most processes broke, the few that are left are apart by chance. */
static void test_few_processes_tell_nothing(void **state) {
    (void)state;
    moved_counter c[MOVED_COUNTERS] = {0};
    add_some(c, 0, base_text, MOVED_PROCESSES);
    add_some(c, 1, faulting, MOVED_LEAST - 1);
    expect(c, "nothing that can be counted here moved; cannot be counted here: instructions",
           "page_faults_minor");
    json_t *o = moved_json(c, "time"), *first = json_array_get(json_object_get(o, "counters"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "unavailable")),
                        "counted in too few processes");
    json_decref(o);
}

static void test_only_time(void **state) {
    (void)state;
    moved_counter c[MOVED_COUNTERS] = {0};
    add_some(c, 0, base_text, MOVED_LEAST);
    add_some(c, 1, base_text, MOVED_LEAST);
    expect(c, "only time moved; the same: instructions, cycles, ipc", "l2_misses");
}

static void test_overlap_is_noise(void **state) {
    (void)state;
    static const char *const more =
        "{\"instructions\": {\"source\": \"perf\", \"value\": 1200, \"validation\": \"trusted\"}}";
    moved_counter c[MOVED_COUNTERS] = {0};
    add_some(c, 0, base_text, MOVED_LEAST - 1);
    add(c, 0, more);
    add_some(c, 1, more, MOVED_LEAST);
    expect(c, "only time moved; the same: instructions", "");
}

static void test_nothing_known(void **state) {
    (void)state;
    moved_counter c[MOVED_COUNTERS] = {0};
    expect(c, "nothing that can be counted here moved; cannot be counted here: instructions, cycles", "ipc");
}

static void test_rejected_is_unknown(void **state) {
    (void)state;
    static const char *const wrong =
        "{\"instructions\": {\"source\": \"papi\", \"value\": 7, \"validation\": \"rejected\"}}";
    moved_counter c[MOVED_COUNTERS] = {0};
    add(c, 0, wrong);
    add(c, 1, wrong);
    assert_int_equal(c[INSTRUCTIONS].count[0], 0);
    assert_string_equal(c[INSTRUCTIONS].why, "papi counts it wrongly here");
}

/* Simulated counts stand in only where nothing was measured, and a few misses are nothing. */
static void test_simulated(void **state) {
    (void)state;
    static const char *const base = "{\"instructions\": {\"source\": \"callgrind\", \"value\": 100000},"
                                    " \"l1d_misses\": {\"source\": \"callgrind\", \"value\": 4},"
                                    " \"page_faults_minor\": {\"source\": \"kernel\", \"value\": 9}}";
    static const char *const candidate = "{\"instructions\": {\"source\": \"callgrind\", \"value\": 101000},"
                                         " \"l1d_misses\": {\"source\": \"callgrind\", \"value\": 8},"
                                         " \"page_faults_minor\": {\"source\": \"kernel\", \"value\": 90}}";
    moved_counter c[MOVED_COUNTERS] = {0};
    add_simulated(c, 0, base);
    add_simulated(c, 1, candidate);
    assert_int_equal(c[FAULTS].count[0], 0);
    expect(c, "instructions +1% (callgrind) moved; the same: l1d_misses", "page_faults_minor");
    moved_counter measured[MOVED_COUNTERS] = {0};
    add(measured, 0, base_text);
    add(measured, 1, base_text);
    add_simulated(measured, 0, base);
    add_simulated(measured, 1, candidate);
    assert_int_equal(measured[INSTRUCTIONS].count[0], 1);
    assert_int_equal(measured[MISSES].count[1], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instructions_and_ipc),
        cmocka_unit_test(test_ipc_is_of_one_process),
        cmocka_unit_test(test_faults_from_none),
        cmocka_unit_test(test_few_processes_tell_nothing),
        cmocka_unit_test(test_only_time),
        cmocka_unit_test(test_overlap_is_noise),
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_rejected_is_unknown),
        cmocka_unit_test(test_simulated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
