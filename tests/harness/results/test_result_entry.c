#include "harness/results/result_entry.h"

#include "attn/alloc.h"
#include "bench/row.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char row[] = "attention/mla/decode/L:8/q:1/h:2/d:8/dc:4/kv:f32/path:auto/impl:scalar";

static const char context[] =
    "{\"context\": {\"counter.cycles\": \"papi\", \"counter.instructions\": \"papi\","
    "\"counter.branches\": \"unavailable: papi: no PMU\", \"seed\": \"1\"}, \"benchmarks\": [";

/* What Google Benchmark prints of one repetition. */
#define RUN(index, real, more)                                                                               \
    "{\"name\": \"x\", \"run_name\": \"x\", \"run_type\": \"iteration\", \"repetitions\": 3,"                \
    "\"repetition_index\": " index ", \"threads\": 1, \"iterations\": 10, \"real_time\": " real              \
    ", \"cpu_time\": 5, \"time_unit\": \"ns\", \"family_index\": 0, \"per_family_instance_index\": 0,"       \
    "\"flops\": 100, \"bytes\": 50, \"kv_bytes_formula\": 128, \"kv_bytes_live\": 128, \"path_run\": 1,"     \
    "\"check_max_error\": 1e-6, \"check_limit\": 1e-4, \"check_rows\": 1" more "}"

static json_t *entries_of(const char *runs, bool *failed) {
    char text[8000];
    bench_case c;
    attn_error error = {0};
    assert_int_equal(bench_case_parse(&c, row, &error), 0);
    snprintf(text, sizeof text, "%s%s]}", context, runs);
    json_t *entries = entry_list(&c, text, strlen(text), failed, &error);
    if (!entries)
        fail_msg("%s", error.message);
    return entries;
}

static double number_at(const json_t *entries, size_t i, const char *key) {
    const json_t *value = json_object_get(json_array_get(entries, i), key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static const char *text_at(const json_t *entries, size_t i, const char *object, const char *key) {
    const json_t *value = json_object_get(json_object_get(json_array_get(entries, i), object), key);
    return json_string_value(value);
}

static void test_repetitions_and_aggregates(void **state) {
    (void)state;
    bool failed;
    json_t *e =
        entries_of(RUN("0", "10", ", \"cycles\": 7") "," RUN("1", "40", "") "," RUN("2", "16", ""), &failed);
    assert_false(failed);
    assert_int_equal(json_array_size(e), 3 + 4);
    static const char *const names[] = {"mean", "median", "stddev", "cv"};
    static const double values[] = {22, 16, 15.874507866387544, 0.721568539381252};
    for (size_t i = 0; i < 4; i++) {
        const json_t *a = json_array_get(e, 3 + i);
        char name[300];
        snprintf(name, sizeof name, "%s_%s", row, names[i]);
        assert_string_equal(json_string_value(json_object_get(a, "name")), name);
        assert_string_equal(json_string_value(json_object_get(a, "run_name")), row);
        assert_string_equal(json_string_value(json_object_get(a, "run_type")), "aggregate");
        assert_string_equal(json_string_value(json_object_get(a, "aggregate_name")), names[i]);
        assert_true(fabs(number_at(e, 3 + i, "real_time") - values[i]) < 1e-12);
        assert_int_equal(number_at(e, 3 + i, "iterations"), 3);
    }
    assert_true(entry_median(e) == 16);
    assert_string_equal(json_string_value(json_object_get(json_array_get(e, 0), "name")), row);
    assert_string_equal(text_at(e, 0, "case", "path"), "auto");
    assert_string_equal(text_at(e, 0, "case", "path_run"), "absorb");
    assert_true(number_at(e, 1, "real_time") == 40);
    assert_true(number_at(e, 0, "kv_bytes_live") == 128);
    const json_t *check = json_object_get(json_array_get(e, 0), "check");
    assert_true(json_number_value(json_object_get(check, "limit")) == 1e-4);
    json_decref(e);
}

static void test_one_repetition_has_no_aggregates(void **state) {
    (void)state;
    bool failed;
    json_t *e = entries_of(RUN("0", "10", ""), &failed);
    assert_int_equal(json_array_size(e), 1);
    assert_true(entry_median(e) == 10);
    json_decref(e);
}

/* They count the thread that reads them. */
static void test_counters_of_several_threads(void **state) {
    (void)state;
    bench_case c;
    attn_error error = {0};
    bool failed;
    char text[2000];
    assert_int_equal(bench_case_parse(&c, "attention/mha/decode/L:8/h:2/d:8/t:2", &error), 0);
    snprintf(text, sizeof text, "%s%s]}", context, RUN("0", "10", ", \"cycles\": 7.5"));
    json_t *e = entry_list(&c, text, strlen(text), &failed, &error);
    assert_non_null(e);
    const json_t *counters = json_object_get(json_array_get(e, 0), "counters");
    const json_t *cycles = json_object_get(counters, "cycles");
    assert_non_null(strstr(json_string_value(json_object_get(cycles, "unavailable")), "counts one thread"));
    json_decref(e);
}

static void test_counters(void **state) {
    (void)state;
    bool failed;
    json_t *e = entries_of(RUN("0", "10", ", \"cycles\": 7.5"), &failed);
    const json_t *counters = json_object_get(json_array_get(e, 0), "counters");
    assert_int_equal(json_object_size(counters), 3);
    const json_t *cycles = json_object_get(counters, "cycles");
    assert_true(json_number_value(json_object_get(cycles, "value")) == 7.5);
    assert_string_equal(json_string_value(json_object_get(cycles, "source")), "papi");
    const json_t *branches = json_object_get(counters, "branches");
    assert_string_equal(json_string_value(json_object_get(branches, "unavailable")), "papi: no PMU");
    assert_null(json_object_get(branches, "value"));
    /* Promised by the context and not read in the end: said, and not 0. */
    const json_t *instructions = json_object_get(counters, "instructions");
    assert_null(json_object_get(instructions, "value"));
    assert_non_null(strstr(json_string_value(json_object_get(instructions, "unavailable")), "could not be"));
    json_decref(e);
}

static void test_counters_by_part(void **state) {
    (void)state;
    bool failed;
    json_t *e = entries_of(RUN("0", "10",
                               ", \"cycles\": 7.5, \"attention.cycles\": 4, \"attention/core.cycles\": 2, "
                               "\"other.cycles\": 3, \"other.branches\": 1"),
                           &failed);
    const json_t *parts = json_object_get(json_array_get(e, 0), ENTRY_BY_PART);
    assert_int_equal(json_object_size(parts), 3);
    assert_non_null(json_object_get(json_object_get(parts, "attention/core"), "cycles"));
    const json_t *attention = json_object_get(parts, "attention");
    assert_int_equal(json_object_size(attention), 1);
    const json_t *cycles = json_object_get(attention, "cycles");
    assert_true(json_number_value(json_object_get(cycles, "value")) == 4);
    assert_string_equal(json_string_value(json_object_get(cycles, "source")), "papi");
    json_decref(e);
    e = entries_of(RUN("0", "10", ", \"cycles\": 7.5"), &failed);
    assert_null(json_object_get(json_array_get(e, 0), ENTRY_BY_PART));
    json_decref(e);
}

static void test_disturbed(void **state) {
    (void)state;
    bool failed;
    /* cpu_time is 5 in all of them: 5.04 loses 0.8%, 5.06 loses 1.2%. */
    json_t *e = entries_of(RUN("0", "5", "") "," RUN("1", "5.04", ", \"involuntary_switches\": 9") "," RUN(
                               "2", "5.06", "") "," RUN("3", "5", ", \"major_faults\": 1"),
                           &failed);
    static const int expected[] = {0, 0, 1, 1};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_is_true(json_object_get(json_array_get(e, i), "disturbed")), expected[i]);
    assert_int_equal(entry_disturbed(e), 2);
    json_decref(e);
}

static void test_failed_check_measures_nothing(void **state) {
    (void)state;
    bool failed;
    json_t *e = entries_of("{\"name\": \"x\", \"run_type\": \"iteration\", \"error_occurred\": true,"
                           "\"error_message\": \"check failed: 3 > 1\", \"real_time\": 5}",
                           &failed);
    assert_true(failed);
    assert_int_equal(json_array_size(e), 1);
    const json_t *entry = json_array_get(e, 0);
    assert_true(json_is_true(json_object_get(entry, "error_occurred")));
    assert_string_equal(json_string_value(json_object_get(entry, "error_message")), "check failed: 3 > 1");
    static const char *const zeros[] = {"real_time", "cpu_time", "iterations"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(json_is_number(json_object_get(entry, zeros[i])));
        assert_true(json_number_value(json_object_get(entry, zeros[i])) == 0);
    }
    assert_string_equal(json_string_value(json_object_get(entry, "time_unit")), "ns");
    assert_null(json_object_get(entry, "flops"));
    assert_null(json_object_get(entry, "counters"));
    assert_string_equal(text_at(e, 0, "case", "type"), "mla");
    json_decref(e);
}

static void test_machine_case(void **state) {
    (void)state;
    bench_case c;
    attn_error error = {0};
    char text[8000];
    bool failed;
    assert_int_equal(bench_case_parse(&c, "machine/read/bytes:4096/isa:base", &error), 0);
    snprintf(text, sizeof text, "%s%s]}", context, RUN("0", "10", ""));
    json_t *e = entry_list(&c, text, strlen(text), &failed, &error);
    assert_string_equal(text_at(e, 0, "case", "kind"), "machine");
    assert_string_equal(text_at(e, 0, "case", "what"), "read");
    assert_string_equal(text_at(e, 0, "case", "isa"), "base");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json_array_get(e, 0), "case"), "bytes")), 4096);
    json_decref(e);
}

/* What came later is in the results where it is not at its default. */
static void test_unsaid_fields(void **state) {
    (void)state;
    static const char *const rows[] = {"attention/mha/decode/L:4", "attention/mha/decode/L:4/cache:cold/t:3"};
    for (size_t i = 0; i < 2; i++) {
        bench_case c;
        attn_error error = {0};
        assert_int_equal(bench_case_parse(&c, rows[i], &error), 0);
        json_t *e = entry_failed(&c, "why"), *shape = json_object_get(json_array_get(e, 0), "case");
        assert_int_equal(json_integer_value(json_object_get(shape, "B")), 1);
        assert_null(json_object_get(shape, "part"));
        assert_int_equal(json_integer_value(json_object_get(shape, "t")), i ? 3 : 0);
        assert_int_equal(json_object_get(shape, "t") != NULL, i);
        assert_int_equal(json_object_get(shape, "cache") != NULL, i);
        json_decref(e);
    }
}

static void test_output_that_is_no_result(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "printed no JSON"},
        {"Segmentation fault", "printed no JSON"},
        {"{\"benchmarks\": []}", "printed no measurement"},
        {"[1]", "printed no measurement"},
        {"{\"benchmarks\": [" RUN("0", "NaN", "") "]}", "printed no JSON"},
        {"{\"benchmarks\": [" RUN("0", "0", "") "]}", "real_time 0, expected more than 0"},
        {"{\"benchmarks\": [" RUN("0", "-3", "") "]}", "real_time -3"},
        {"{\"benchmarks\": [" RUN("0", "\"fast\"", "") "]}", "printed no real_time"},
        {"{\"benchmarks\": [{\"run_type\": \"iteration\", \"real_time\": 1, \"cpu_time\": 1,"
         "\"iterations\": 1, \"repetition_index\": 0, \"time_unit\": \"ms\"}]}",
         "times in ms, expected ns"},
    };
    bench_case c;
    assert_int_equal(bench_case_parse(&c, row, NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        attn_error error = {0};
        bool failed;
        assert_null(entry_list(&c, rows[i].text, strlen(rows[i].text), &failed, &error));
        if (!strstr(error.message, rows[i].message))
            fail_msg("\"%s\" does not say \"%s\"", error.message, rows[i].message);
    }
}

static void test_no_memory(void **state) {
    (void)state;
    bench_case c;
    char text[8000];
    assert_int_equal(bench_case_parse(&c, row, NULL), 0);
    snprintf(text, sizeof text, "%s%s]}", context, RUN("0", "10", "") "," RUN("1", "20", ""));
    size_t live = attn_alloc_live();
    for (size_t nth = 1;; nth++) {
        attn_error error = {0};
        bool failed;
        attn_alloc_fail_at(nth);
        json_t *e = entry_list(&c, text, strlen(text), &failed, &error);
        attn_alloc_fail_at(0);
        assert_int_equal(attn_alloc_live(), live);
        if (e) {
            assert_true(nth > 2);
            json_decref(e);
            break;
        }
        assert_non_null(strstr(error.message, "out of memory"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repetitions_and_aggregates),
        cmocka_unit_test(test_one_repetition_has_no_aggregates),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_counters_of_several_threads),
        cmocka_unit_test(test_counters_by_part),
        cmocka_unit_test(test_disturbed),
        cmocka_unit_test(test_failed_check_measures_nothing),
        cmocka_unit_test(test_machine_case),
        cmocka_unit_test(test_unsaid_fields),
        cmocka_unit_test(test_output_that_is_no_result),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
