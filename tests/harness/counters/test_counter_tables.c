/* Counters on their way to the report: what disagrees with a formula is flagged, what is not trusted is not
 * shown, parts of an encoder have rows of their own. The counters are those of sources that lie in known
 * ways. */
#include "harness/counters/derive.h"
#include "harness/run/counting_merge.h"
#include "reports/tables/sentences/findings.h"
#include "reports/tables/table_list.h"
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char HEAD[] =
    "{\"context\": {\"attnbench\": {\"schema\": 1, \"commit\": \"c\", \"plan\": \"p\", \"seed\": 1, "
    "\"cases\": 1,"
    " \"failed\": 0, \"machine\": {\"cpu\": \"x\"}, \"build\": {}, \"blas\": {}, \"fingerprint\": \"f\"}},"
    " \"benchmarks\": [";

/* As validation found the sources: papi reads sp_flops right, perf reads twice of them, sde is rejected. */
static const char METRICS[] =
    "[{\"name\": \"sp_flops\", \"source\": \"papi\", \"status\": \"trusted\"},"
    " {\"name\": \"sp_flops\", \"source\": \"perf\", \"status\": \"scaled\", \"factor\": 2},"
    " {\"name\": \"sp_flops\", \"source\": \"sde\", \"status\": \"rejected\", \"reason\": \"reads 0\"},"
    " {\"name\": \"instructions\", \"source\": \"papi\", \"status\": \"trusted\"},"
    " {\"name\": \"cold_bytes\", \"source\": \"callgrind\", \"status\": \"trusted\"}]";

/* An entry of 1000 FLOPs and 6400 bytes by formula, with these counters, as a sweep completes it. */
static char *file_with(const char *counters, const char *by_part) {
    attn_error error = {0};
    json_t *metrics = json_loads(METRICS, 0, NULL);
    json_t *row =
        json_loads("{\"kind\": \"attention\", \"type\": \"mha\", \"mode\": \"decode\", \"L\": 4, \"q\": 1, "
                   "\"B\": 1, \"h\": 2, \"d\": 16, \"kv\": \"f32\", \"pos\": \"none\", \"impl\": \"blas\"}",
                   0, NULL);
    json_t *entry = json_pack(
        "{ss ss ss si si sf sf ss si si si si s{sf sf si} so so so}", "name", "case", "run_name", "case",
        "run_type", "iteration", "repetition_index", 0, "iterations", 10, "real_time", 5.0, "cpu_time", 5.0,
        "time_unit", "ns", "flops", 1000, "bytes", 6400, "kv_bytes_formula", 8, "kv_bytes_live", 8, "check",
        "max_error", 0.0, "limit", 1.0, "rows", 1, "case", row, "counters", json_loads(counters, 0, NULL),
        "counters_by_part", json_loads(by_part, 0, NULL));
    assert_non_null(entry);
    const char *part;
    json_t *own;
    assert_int_equal(mark_validation(json_object_get(entry, "counters"), metrics, &error), 0);
    json_object_foreach(json_object_get(entry, "counters_by_part"), part, own) {
        assert_int_equal(mark_validation(own, metrics, &error), 0);
    }
    json_object_set_new(entry, "measured", derive_measured(entry, 0, &error));
    char *dumped = json_dumps(entry, JSON_COMPACT), *text = attn_format(NULL, "%s%s]}", HEAD, dumped);
    free(dumped);
    json_decref(entry);
    json_decref(metrics);
    return text;
}

static void read_file(results *r, report_data *data, const char *counters, const char *by_part) {
    attn_error error = {0};
    char *text = file_with(counters, by_part);
    if (results_parse(r, text, strlen(text), "R.json", &error) || report_data_init(data, r, &error))
        fail_msg("%s", error.message);
    attn_free(text);
}

static bool warns(const report_data *data, const char *fragment) {
    json_t *list = warnings_list(data), *sentence;
    bool found = false;
    size_t i;
    json_array_foreach(list, i, sentence) {
        found |= strstr(json_string_value(sentence), fragment) != NULL;
    }
    json_decref(list);
    return found;
}

#define COUNTER(name, source, value) "{\"" name "\": {\"source\": \"" source "\", \"value\": " value "}}"

static void test_formulas_and_counts(void **state) {
    (void)state;
    static const struct {
        const char *counters, *differs, *key;
        double ratio; /* NaN: none */
        const char *warning;
    } rows[] = {
        {COUNTER("sp_flops", "papi", "1015"), NULL, "flops_ratio", 1.015, NULL},
        {COUNTER("sp_flops", "papi", "1030"), "FLOPs", "flops_ratio", 1.03, "FLOPs counted are not those"},
        {COUNTER("sp_flops", "papi", "0"), "FLOPs", "flops_ratio", 0, "FLOPs counted are not those"},
        {COUNTER("sp_flops", "perf", "2000"), NULL, "flops_ratio", 1, NULL},
        {COUNTER("sp_flops", "perf", "1000"), "FLOPs", "flops_ratio", 0.5, "FLOPs counted are not those"},
        {COUNTER("sp_flops", "sde", "1000"), NULL, "flops_ratio", NAN, NULL},
        {COUNTER("cold_bytes", "callgrind", "12800"), "bytes", "bytes_ratio", 2,
         NULL}, /* more than the least */
        {COUNTER("cold_bytes", "callgrind", "3200"), "bytes", "bytes_ratio", 0.5,
         "Bytes counted are not those"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        results r;
        report_data data;
        report_table t;
        read_file(&r, &data, rows[i].counters, "{}");
        table_counter_values(&t, &(table_sources){.data = &data});
        const json_t *row = json_array_get(t.t.rows, 0), *ratio = json_object_get(row, rows[i].key);
        const char *differs = json_string_value(json_object_get(row, "differs"));
        if (isnan(rows[i].ratio)
                ? json_is_number(ratio)
                : !json_is_number(ratio) || fabs(json_number_value(ratio) - rows[i].ratio) > 1e-9)
            fail_msg("row %zu: ratio %g", i, json_number_value(ratio));
        if (!differs != !rows[i].differs || (differs && strcmp(differs, rows[i].differs)))
            fail_msg("row %zu: differs %s", i, differs ? differs : "not");
        assert_int_equal(warns(&data, "counted are not those"), rows[i].warning != NULL);
        assert_true(!rows[i].warning || warns(&data, rows[i].warning));
        report_table_free(&t);
        report_data_free(&data);
        results_free(&r);
        assert_int_equal(attn_alloc_live(), 0);
    }
}

/* 12 cycles in 5 ns; of a counter that was rejected, or of none, there is no clock. */
static void test_clock(void **state) {
    (void)state;
    static const struct {
        const char *counters;
        double ghz; /* 0: none */
    } rows[] = {
        {"{\"cycles\": {\"source\": \"papi\", \"value\": 12, \"validation\": \"trusted\"}}", 2.4},
        {"{\"cycles\": {\"source\": \"perf\", \"value\": 12, \"validation\": \"scaled\", \"factor\": 2}}",
         1.2},
        {"{\"cycles\": {\"source\": \"papi\", \"value\": 12, \"validation\": \"rejected\"}}", 0},
        {"{\"instructions\": {\"source\": \"papi\", \"value\": 12, \"validation\": \"trusted\"}}", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        attn_error error = {0};
        json_t *derived = json_object(), *entry = json_pack("{sf so}", "cpu_time", 5.0, "counters",
                                                            json_loads(rows[i].counters, 0, NULL));
        assert_int_equal(derive_clock(derived, entry, &error), 0);
        const json_t *clock = json_object_get(derived, "ghz");
        assert_int_equal(clock != NULL, rows[i].ghz > 0);
        assert_true(fabs(json_number_value(json_object_get(clock, "value")) - rows[i].ghz) < 1e-12);
        json_decref(derived);
        json_decref(entry);
    }
}

static void test_parts(void **state) {
    (void)state;
    results r;
    report_data data;
    report_table t;
    read_file(&r, &data, COUNTER("instructions", "papi", "100"),
              "{\"attention\": {\"instructions\": {\"source\": \"papi\", \"value\": 75},"
              "  \"sp_flops\": {\"source\": \"sde\", \"value\": 7}},"
              " \"attention/core\": {\"instructions\": {\"source\": \"papi\", \"value\": 50}},"
              " \"other\": {\"instructions\": {\"source\": \"papi\", \"value\": 25}}}");
    table_counter_parts(&t, &(table_sources){.data = &data});
    assert_int_equal(json_array_size(t.t.rows), 3);
    const json_t *row = json_array_get(t.t.rows, 1);
    assert_string_equal(json_string_value(json_object_get(row, "part")), "attention/core");
    assert_true(json_number_value(json_object_get(row, "share")) == 50);
    row = json_array_get(t.t.rows, 0);
    assert_string_equal(json_string_value(json_object_get(row, "part")), "attention");
    assert_true(json_number_value(json_object_get(row, "share")) == 75);
    assert_true(json_number_value(json_object_get(row, "instructions")) == 75);
    assert_null(json_object_get(row, "sp_flops")); /* rejected */
    report_table_free(&t);
    report_data_free(&data);
    results_free(&r);
    read_file(&r, &data, COUNTER("instructions", "papi", "100"), "{}");
    table_counter_parts(&t, &(table_sources){.data = &data});
    assert_int_equal(json_array_size(t.t.rows), 0);
    report_table_free(&t);
    report_data_free(&data);
    results_free(&r);
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_bad_parts(void **state) {
    (void)state;
    static const char *const bad[] = {"[]", "{\"attention\": 1}", "{\"attention\": {\"instructions\": 7}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        results r = {0};
        attn_error error = {0};
        char *text = file_with("{}", "{\"other\": {}}"), *at = strstr(text, "{\"other\":{}}");
        assert_non_null(at);
        char *changed =
            attn_format(NULL, "%.*s%s%s", (int)(at - text), text, bad[i], at + strlen("{\"other\":{}}"));
        assert_int_equal(results_parse(&r, changed, strlen(changed), "R.json", &error), -1);
        assert_non_null(strstr(error.message, "counters_by_part"));
        attn_free(text);
        attn_free(changed);
        results_free(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formulas_and_counts),
                                       cmocka_unit_test(test_clock), cmocka_unit_test(test_parts),
                                       cmocka_unit_test(test_bad_parts)};
    setenv("ATTNBENCH_HOME", ".", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
