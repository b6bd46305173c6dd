/* Rounds of a case in the store, and what becomes of them in the results file. */
#include "harness/results/case_rounds.h"

#include "base/text/json.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/stores.h"

#include <string.h>

static const char ROW[] = "attention/mha/decode/L:1/q:1/h:1/d:1/kv:f32/impl:blas";

/* What a process printed of one repetition; the first process has the check. */
static json_t *entry_of(double time, bool checked) {
    json_t *entry = json_pack(
        "{ss ss si si ss si si si si sf sf ss sf sf sf sf sf s{ss ss ss si si si si ss ss}}", "name", ROW,
        "run_name", ROW, "family_index", 0, "per_family_instance_index", 0, "run_type", "iteration",
        "threads", 1, "repetitions", 1, "repetition_index", 0, "iterations", 10, "real_time", time,
        "cpu_time", time, "time_unit", "ns", "flops", 1.0, "bytes", 1.0, "kv_bytes_formula", 1.0,
        "kv_bytes_live", 1.0, "output_hash", 77.0, "case", "kind", "attention", "type", "mha", "mode",
        "decode", "L", 1, "q", 1, "h", 1, "d", 1, "kv", "f32", "impl", "blas");
    if (checked)
        json_object_set_new(entry, "check",
                            json_pack("{sf sf si}", "max_error", 0.5, "limit", 1.0, "rows", 3));
    return entry;
}

static void run_round(results_store *s, size_t round, json_t *entry, bool failed) {
    attn_error error = {0};
    json_t *entries = json_pack("[o]", entry);
    assert_int_equal(store_started(s, ROW, round, &error), 0);
    assert_int_equal(store_finished(s, ROW, round, entries, failed, &error), 0);
    json_decref(entries);
}

static json_t *join(const results_store *s, size_t rounds) {
    attn_error error = {0};
    json_t *entries = case_rounds_join(s, ROW, rounds, &error);
    assert_false(error.message[0]);
    return entries;
}

/* What is finished of a case is kept when the next round is cut short. */
static void test_resume(void **state) {
    (void)state;
    attn_error error = {0};
    results_store *s = open_store(STORE_NEW);
    assert_true(case_rounds_number(s, ROW, "output_hash", 0) == 0);
    run_round(s, 0, entry_of(4, true), false);
    assert_int_equal(store_started(s, ROW, 1, &error), 0);
    store_close(s);
    s = open_store(STORE_RESUMED);
    assert_int_equal(store_interrupted(s), 1);
    assert_false(case_rounds_lack(s, ROW, 0));
    assert_true(case_rounds_lack(s, ROW, 1));
    assert_true(case_rounds_number(s, ROW, "output_hash", 0) == 77);
    assert_null(join(s, 2));
    run_round(s, 1, entry_of(8, false), false);
    store_close(s);
    s = open_store(STORE_RESUMED);
    json_t *entries = join(s, 2);
    assert_int_equal(json_array_size(entries), 2 + 4);
    for (size_t i = 0; i < 6; i++) {
        const json_t *entry = json_array_get(entries, i);
        assert_int_equal(json_integer_value(json_object_get(entry, "repetitions")), 2);
        if (i >= 2)
            continue;
        assert_int_equal(json_integer_value(json_object_get(entry, "repetition_index")), i);
        assert_int_equal(json_integer_value(json_object_get(entry, "process")), i + 1);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(entry, "check"), "rows")), 3);
    }
    assert_true(json_number(json_array_get(entries, 3), "real_time") == 6); /* the median over both */
    json_decref(entries);
    bool failed;
    const json_t *own = json_array_get(store_find(s, ROW, 1, &failed), 0);
    assert_null(json_object_get(own, "process")); /* the journal stays what processes printed */
    store_close(s);
}

/* A round that relied on the check of another output is run again; with a check of its own it counts. */
static void test_other_output(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    run_round(s, 0, entry_of(4, true), false);
    json_t *other = entry_of(4, false);
    json_object_set_new(other, "output_hash", json_real(78));
    run_round(s, 1, json_deep_copy(other), false);
    assert_true(case_rounds_lack(s, ROW, 1));
    json_object_set_new(other, "check", json_pack("{sf sf si}", "max_error", 0.25, "limit", 1.0, "rows", 3));
    run_round(s, 1, other, false);
    assert_false(case_rounds_lack(s, ROW, 1));
    store_close(s);
}

/* A case that failed in one round has no numbers, and no more rounds. */
static void test_failure(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    json_t *broken = entry_of(0, false);
    json_object_set_new(broken, "error_occurred", json_true());
    json_object_set_new(broken, "error_message", json_string("it is a test"));
    run_round(s, 0, entry_of(4, true), false);
    run_round(s, 1, broken, true);
    assert_false(case_rounds_lack(s, ROW, 2));
    json_t *entries = join(s, 3);
    assert_int_equal(json_array_size(entries), 1);
    assert_string_equal(json_text(json_array_get(entries, 0), "error_message"), "it is a test");
    json_decref(entries);
    store_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_STORE_FOLDER(test_resume),
        IN_STORE_FOLDER(test_other_output),
        IN_STORE_FOLDER(test_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
