/* What a real sweep puts into its results file. */
#include "attn/file.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[64];
static json_t *results;

static const char plan[] =
    "repetitions: 2\nmin_time: 0.001\nseed: 3\nsweeps:\n"
    "- {attention_type: [mha, gqa, mla, linear], mode: [decode, prefill], seq_len: 6, d_model: 8,\n"
    "   num_heads: 4, num_kv_heads: 2, latent_dim: 4, path: absorb, impl: scalar}\n"
    "machine: [machine/flops, machine/read/bytes:4096, machine/sgemm/n:16]\n";
enum { CASES = 8 + 3, REPETITIONS = 2, AGGREGATES = 4 };

static int sweep(void **state) {
    (void)state;
    attn_error error = {0};
    char path[96], command[512];
    const char *program = getenv("ATTNBENCH");
    strcpy(folder, "/tmp/attnbench-sweep-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/tiny.yaml", folder);
    if (attn_write_file(path, plan, strlen(plan), &error))
        return -1;
    snprintf(command, sizeof command, "'%s' sweep --plan %s/tiny.yaml --out %s/R.json >/dev/null 2>&1",
             program ? program : "build/attnbench", folder, folder);
    if (system(command))
        return -1;
    snprintf(path, sizeof path, "%s/R.json", folder);
    results = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    return results ? 0 : -1;
}

static int clean_up(void **state) {
    (void)state;
    char command[96];
    json_decref(results);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const json_t *benchmarks(void) {
    return json_object_get(results, "benchmarks");
}

static int is_iteration(const json_t *entry) {
    return !strcmp(json_string_value(json_object_get(entry, "run_type")), "iteration");
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("%s is not a number", key);
    return json_number_value(value);
}

static const char *text(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        fail_msg("%s is not text", key);
    return json_string_value(value);
}

static void test_context(void **state) {
    (void)state;
    const json_t *context = json_object_get(results, "context"), *own = json_object_get(context, "attnbench");
    assert_int_equal(number(own, "schema"), 1);
    assert_int_equal(number(own, "seed"), 3);
    assert_int_equal(number(own, "cases"), CASES);
    assert_int_equal(number(own, "failed"), 0);
    assert_int_equal(number(own, "rounds"), REPETITIONS);
    assert_int_equal(number(own, "interrupted"), 0);
    assert_string_equal(text(own, "plan"), "tiny");
    assert_true(strlen(text(own, "plan_sha")) > 8);
    assert_true(strlen(text(own, "fingerprint")) > 8);
    assert_string_equal(text(own, "commit"), text(json_object_get(own, "build"), "commit"));
    assert_int_equal(number(json_object_get(own, "blas"), "threads"), 1);
    assert_true(text(json_object_get(own, "blas"), "core")[0]);
    assert_true(number(context, "num_cpus") > 0);
    static const char *const machine[] = {"cpu",       "family",   "model",     "isa",
                                          "l1d_bytes", "l2_bytes", "l3_bytes",  "memory_bytes",
                                          "kernel",    "governor", "hypervisor"};
    for (size_t i = 0; i < sizeof machine / sizeof *machine; i++)
        assert_non_null(json_object_get(json_object_get(own, "machine"), machine[i]));
}

static void test_entries(void **state) {
    (void)state;
    size_t i;
    json_t *entry;
    assert_int_equal(json_array_size(benchmarks()), CASES * (REPETITIONS + AGGREGATES));
    json_array_foreach(benchmarks(), i, entry) {
        assert_string_equal(text(entry, "time_unit"), "ns");
        assert_true(number(entry, "real_time") >= 0);
        assert_int_equal(number(entry, "repetitions"), REPETITIONS);
        if (!is_iteration(entry))
            continue;
        assert_int_equal(number(entry, "repetition_index"), i % (REPETITIONS + AGGREGATES));
        assert_true(number(entry, "real_time") > 0);
        assert_true(number(entry, "iterations") >= 1);
        const json_t *check = json_object_get(entry, "check");
        assert_true(number(check, "max_error") <= number(check, "limit"));
        assert_true(number(check, "rows") >= 1);
        assert_int_equal(number(entry, "process"),
                         i % (REPETITIONS + AGGREGATES) + 1); /* two rounds of one */
        assert_true(json_is_boolean(json_object_get(entry, "disturbed")));
    }
}

static void test_cases(void **state) {
    (void)state;
    const json_t *gqa = NULL, *mla = NULL, *sgemm = NULL;
    size_t i;
    json_t *entry;
    json_array_foreach(benchmarks(), i, entry) {
        const json_t *row = json_object_get(entry, "case");
        const char *type = json_string_value(json_object_get(row, "type"));
        const char *what = json_string_value(json_object_get(row, "what"));
        if (type && !strcmp(type, "gqa") && !gqa)
            gqa = row;
        if (type && !strcmp(type, "mla") && !mla)
            mla = row;
        if (what && !strcmp(what, "sgemm"))
            sgemm = row;
    }
    assert_int_equal(number(gqa, "hkv"), 2);
    assert_null(json_object_get(gqa, "dc"));
    assert_null(json_object_get(gqa, "path"));
    assert_string_equal(text(gqa, "mode"), "decode");
    assert_int_equal(number(gqa, "L"), 6);
    assert_int_equal(number(gqa, "q"), 1);
    assert_int_equal(number(gqa, "h"), 4);
    assert_int_equal(number(gqa, "d"), 8);
    assert_int_equal(number(gqa, "B"), 1);
    assert_string_equal(text(gqa, "kv"), "f32");
    assert_string_equal(text(gqa, "pos"), "none");
    assert_string_equal(text(gqa, "impl"), "scalar");
    assert_int_equal(number(mla, "dc"), 4);
    assert_null(json_object_get(mla, "hkv"));
    assert_string_equal(text(mla, "path"), "absorb");
    assert_string_equal(text(mla, "path_run"), "absorb");
    assert_int_equal(number(sgemm, "n"), 16);
    assert_string_equal(text(sgemm, "kind"), "machine");
}

static void test_counters(void **state) {
    (void)state;
    size_t i;
    json_t *entry, *counter;
    const char *name;
    json_array_foreach(benchmarks(), i, entry) {
        if (!is_iteration(entry))
            continue;
        json_t *counters = json_object_get(entry, "counters");
        assert_true(json_object_size(counters) > 8);
        json_object_foreach(counters, name, counter) {
            if (json_object_get(counter, "unavailable")) {
                assert_true(strlen(text(counter, "unavailable")) > 5);
                assert_null(json_object_get(counter, "value"));
                continue;
            }
            assert_true(text(counter, "source")[0]);
            assert_true(number(counter, "value") >= 0);
            if (!strcmp(name, "cycles") || !strcmp(name, "instructions"))
                assert_true(number(counter, "value") > 0);
        }
    }
}

/* What the benchmark declares goes through a PAPI event set and comes back per iteration. */
static void test_cache_bytes_through_papi(void **state) {
    (void)state;
    size_t i, seen = 0;
    json_t *entry;
    json_array_foreach(benchmarks(), i, entry) {
        if (!is_iteration(entry))
            continue;
        const json_t *bytes = json_object_get(json_object_get(entry, "counters"), "cache_bytes_read");
        assert_string_equal(text(bytes, "source"), "sde");
        const json_t *formula = json_object_get(entry, "kv_bytes_formula");
        if (!formula)
            continue;
        assert_true(number(bytes, "value") > 0);
        assert_true(number(bytes, "value") == json_number_value(formula));
        assert_true(number(entry, "kv_bytes_live") == json_number_value(formula));
        seen++;
    }
    assert_int_equal(seen, 8 * REPETITIONS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_cache_bytes_through_papi),
    };
    return cmocka_run_group_tests(tests, sweep, clean_up);
}
