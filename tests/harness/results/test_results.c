/* The reader of results files: what it takes in, and what it refuses. */
#include "harness/results/results.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

static const char SAMPLE[] = "tests/data/results_sample.json";

static const char HEAD[] = "{\"context\": {\"date\": \"d\", \"attnbench\": {\"schema\": 1, \"commit\": "
                           "\"c\", \"plan\": \"p\", \"seed\": 1,"
                           " \"cases\": 1, \"failed\": 0, \"machine\": {\"cpu\": \"x\"}, \"build\": {}, "
                           "\"blas\": {}, \"fingerprint\": \"f\"}},"
                           " \"benchmarks\": [";
static const char ENTRY[] =
    "{\"name\": \"a\", \"run_name\": \"a\", \"run_type\": \"iteration\", \"iterations\": 3, \"real_time\": "
    "2.5,"
    " \"cpu_time\": 2.0, \"time_unit\": \"ns\", \"flops\": 10, \"bytes\": 20, \"kv_bytes_formula\": 8,"
    " \"kv_bytes_live\": 8, \"case\": {\"kind\": \"attention\", \"type\": \"mla\", \"mode\": \"decode\", "
    "\"L\": 7,"
    " \"q\": 1, \"h\": 2, \"d\": 4, \"dc\": 2, \"kv\": \"f32\", \"path\": \"auto\", \"path_run\": "
    "\"absorb\", \"impl\": "
    "\"blas\"},"
    " \"counters\": {\"INS\": {\"source\": \"papi\", \"value\": 5}}, \"disturbed\": true}";

static char *good_text(size_t entries) {
    char *text = attn_strdup(HEAD, NULL);
    for (size_t i = 0; i < entries; i++) {
        char *longer = attn_format(NULL, "%s%s%s", text, i ? "," : "", ENTRY);
        attn_free(text);
        text = longer;
    }
    char *whole = attn_format(NULL, "%s]}", text);
    attn_free(text);
    return whole;
}

static void test_entry(void **state) {
    (void)state;
    char *text = good_text(3);
    results r;
    attn_error error = {0};
    assert_int_equal(results_parse(&r, text, strlen(text), "R.json", &error), 0);
    assert_int_equal(r.count, 1);
    const results_case *c = results_find(&r, "a");
    assert_ptr_equal(c, r.cases);
    assert_int_equal(c->count, 3);
    assert_string_equal(c->kind, "attention");
    assert_string_equal(c->type, "mla");
    assert_string_equal(c->path_run, "absorb");
    assert_string_equal(c->what, "");
    assert_int_equal(c->L, 7);
    assert_int_equal(c->B, 1); /* where the file does not say */
    assert_string_equal(c->pos, "none");
    assert_string_equal(c->cache, "warm");
    assert_int_equal(c->t, 1);
    assert_int_equal(c->dc, 2);
    assert_int_equal(c->hkv, 0);
    assert_true(c->flops == 10 && c->bytes == 20 && c->kv_bytes_live == 8 && isnan(c->limit));
    assert_true(c->samples[2].real_time == 2.5 && c->samples[2].iterations == 3 && c->samples[2].disturbed);
    assert_true(json_is_object(json_object_get(c->samples[2].counters, "INS")));
    assert_null(results_find(&r, "b"));
    assert_string_equal(results_text(&r, "machine.cpu", "none"), "x");
    assert_string_equal(results_text(&r, "machine.isa", "none"), "none");
    results_free(&r);
    attn_free(text);
}

/* Aggregates are computed again; failed checks keep their message and have no numbers. */
static void test_sample_file(void **state) {
    (void)state;
    results r;
    attn_error error = {0};
    assert_int_equal(results_read(&r, SAMPLE, &error), 0);
    assert_int_equal(r.count, (size_t)json_integer_value(json_object_get(r.own, "cases")));
    size_t failed = 0;
    for (size_t i = 0; i < r.count; i++) {
        const results_case *c = &r.cases[i];
        assert_true(!strstr(c->name, "_mean"));
        failed += c->error != NULL;
        assert_true((c->error != NULL) == (c->count == 0));
        assert_true(c->error || c->count == 3 || c->count == 7);
    }
    assert_int_equal(failed, 1);
    results_free(&r);
}

/* Each: what replaces what in a good file, and what the message must say. */
static const struct {
    const char *from, *to, *says;
} bad[] = {
    {"]}", "", "R.json:1: not JSON, or cut short"},
    {"\"real_time\": 2.5", "\"real_time\": NaN", "not JSON"},
    {"\"real_time\": 2.5", "\"real_time\": 1e999", "not JSON"},
    {"\"real_time\": 2.5", "\"real_time\": 0", "benchmarks[0].real_time: found 0, expected a number above 0"},
    {"\"real_time\": 2.5", "\"real_time\": -1.5", "benchmarks[0].real_time: found -1.5"},
    {"\"real_time\": 2.5", "\"real_time\": \"2\"", "benchmarks[0].real_time: found \"2\""},
    {"\"real_time\": 2.5,", "", "benchmarks[0].real_time: found nothing"},
    {"\"iterations\": 3", "\"iterations\": 0", "benchmarks[0].iterations"},
    {"\"time_unit\": \"ns\"", "\"time_unit\": \"us\"",
     "benchmarks[0].time_unit: found \"us\", expected \"ns\""},
    {"\"run_type\": \"iteration\"", "\"run_type\": \"x\"", "benchmarks[0].run_type"},
    {"\"run_name\": \"a\", ", "", "benchmarks[0].run_name"},
    {"\"flops\": 10, ", "", "benchmarks[0].flops: found nothing"},
    {"\"kv_bytes_live\": 8", "\"kv_bytes_live\": null", "benchmarks[0].kv_bytes_live: found null"},
    {"\"kv_bytes_live\": 8", "\"kv_bytes_live\": 1e30", "kv_bytes"},
    {"\"case\": {", "\"kase\": {", "benchmarks[0].case: found nothing, expected an object"},
    {"\"L\": 7", "\"L\": 0", "benchmarks[0].case.L: found 0, expected a whole number from 1"},
    {"\"L\": 7", "\"L\": 7.5", "benchmarks[0].case.L: found 7.5"},
    {"\"L\": 7,", "", "benchmarks[0].case.L: found nothing"},
    {"\"h\": 2", "\"h\": 99999999999999999", "benchmarks[0].case.h"},
    {"\"type\": \"mla\"", "\"type\": \"<script>\"", "benchmarks[0].case.type"},
    {"\"type\": \"mla\"", "\"type\": \"\"", "benchmarks[0].case.type"},
    {"\"mode\": \"decode\"", "\"mode\": \"`x`\"", "benchmarks[0].case.mode"},
    {"\"kind\": \"attention\"", "\"kind\": \"other\"", "expected attention, encoder, machine or kernel"},
    {"\"kind\": \"attention\"", "\"kind\": \"machine\"", "benchmarks[0].case.what: found nothing"},
    {"{\"source\": \"papi\", \"value\": 5}", "0", "benchmarks[0].counters.INS: found 0"},
    {"{\"source\": \"papi\", \"value\": 5}", "{\"value\": 5}", "benchmarks[0].counters.INS"},
    {"{\"source\": \"papi\", \"value\": 5}", "{\"source\": \"papi\", \"value\": 5, \"validation\": \"good\"}",
     "benchmarks[0].counters.validation: found \"good\", expected trusted, scaled, unchecked or rejected"},
    {"{\"source\": \"papi\", \"value\": 5}", "{\"source\": \"papi\", \"value\": 5, \"factor\": 0}",
     "benchmarks[0].counters.factor: found 0, expected a number above 0"},
    {"\"counters\"", "\"derived\": 3, \"counters\"", "benchmarks[0].derived: found 3, expected an object"},
    {"\"INS\"", "\"<b>\"", "a counter's name"},
    {"\"disturbed\": true", "\"disturbed\": 1", "benchmarks[0].disturbed"},
    {"\"schema\": 1", "\"schema\": 2", "context.attnbench.schema: found 2, expected 1"},
    {"\"schema\": 1", "\"schema\": 1, \"schema\": 1", "not JSON"},
    {"\"attnbench\"", "\"other\"", "not a results file of attnbench sweep"},
    {"\"context\"", "\"kontext\"", "not a results file of attnbench sweep"},
    {"\"commit\": \"c\", ", "", "context.attnbench.commit"},
    {"\"machine\": {\"cpu\": \"x\"}", "\"machine\": 3", "context.attnbench.machine: found 3"},
    {"\"cpu\": \"x\"", "\"kpu\": \"x\"", "context.attnbench.machine.cpu"},
    {"\"benchmarks\": [", "\"benchmarks\": [4, ", "benchmarks[0].entry: found 4"},
    {"\"benchmarks\"", "\"marks\"", "benchmarks: found nothing, expected a list"},
};

static void test_bad(void **state) {
    (void)state;
    char *good = good_text(1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *at = strstr(good, bad[i].from);
        assert_non_null(at);
        char *text =
            attn_format(NULL, "%.*s%s%s", (int)(at - good), good, bad[i].to, at + strlen(bad[i].from));
        results r;
        attn_error error = {0};
        assert_int_equal(results_parse(&r, text, strlen(text), "R.json", &error), -1);
        if (!strstr(error.message, bad[i].says) || strncmp(error.message, "R.json:", 7))
            fail_msg("%s -> %s: \"%s\" does not say \"%s\"", bad[i].from, bad[i].to, error.message,
                     bad[i].says);
        attn_free(text);
    }
    attn_free(good);
}

static void test_case_changes(void **state) {
    (void)state;
    char *text = good_text(2), *last = NULL;
    for (char *at = text; (at = strstr(at, "\"L\": 7")); at++)
        last = at;
    last[5] = '8';
    results r;
    attn_error error = {0};
    assert_int_equal(results_parse(&r, text, strlen(text), "R.json", &error), -1);
    assert_non_null(strstr(error.message, "benchmarks[1].case"));
    attn_free(text);
}

/* Cut anywhere, it is refused. */
static void test_truncated(void **state) {
    (void)state;
    char *text = good_text(1);
    for (size_t size = 0; size < strlen(text); size++) {
        results r;
        attn_error error = {0};
        assert_int_equal(results_parse(&r, text, size, "R.json", &error), -1);
        assert_true(error.message[0]);
    }
    attn_free(text);
}

static void test_no_memory(void **state) {
    (void)state;
    char *text = good_text(5);
    size_t live = attn_alloc_live(), n = 0;
    for (int result = -1; result;) {
        results r;
        attn_error error = {0};
        attn_alloc_fail_at(++n);
        result = results_parse(&r, text, strlen(text), "R.json", &error);
        attn_alloc_fail_at(0);
        assert_true(!result == !error.message[0]);
        results_free(&r);
        assert_int_equal(attn_alloc_live(), live);
    }
    assert_true(n > 3);
    attn_free(text);
}

static void test_files(void **state) {
    (void)state;
    results r;
    attn_error error = {0};
    assert_int_equal(results_read(&r, "tests/data/absent.json", &error), -1);
    assert_non_null(strstr(error.message, "tests/data/absent.json"));
    error = (attn_error){0};
    assert_int_equal(results_read(&r, "tests/data", &error), -1);
    assert_non_null(strstr(error.message, "not a regular file"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry),     cmocka_unit_test(test_sample_file),
        cmocka_unit_test(test_bad),       cmocka_unit_test(test_case_changes),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
