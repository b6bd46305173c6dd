#include "tests/support/stores.h"

#include "attn/file.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

char store_folder[256], results_path[288], journal_path[320];
const store_identity store_us = {"tiny", "hash-1", "commit-1", "machine-1"};

int make_store_folder(void **state) {
    static size_t made;
    char name[32];
    (void)state;
    snprintf(name, sizeof name, "store-%zu", made++);
    snprintf(store_folder, sizeof store_folder, "%s", scratch_path(name));
    snprintf(results_path, sizeof results_path, "%s/R.json", store_folder);
    snprintf(journal_path, sizeof journal_path, "%s.journal", results_path);
    return mkdir(store_folder, 0777);
}

results_store *open_store(store_state expected) {
    results_store *s;
    store_state state;
    attn_error error = {0};
    if (store_open(&s, &state, results_path, &store_us, STORE_REFUSE, &error))
        fail_msg("%s", error.message);
    assert_int_equal(state, expected);
    return s;
}

void assert_refused(const store_identity *identity, const char *message) {
    results_store *s;
    store_state state;
    attn_error error = {0};
    assert_int_equal(store_open(&s, &state, results_path, identity, STORE_REFUSE, &error), -1);
    assert_null(s);
    if (!strstr(error.message, message))
        fail_msg("\"%s\" does not say \"%s\"", error.message, message);
}

void start_case(results_store *s, const char *row) {
    attn_error error = {0};
    if (store_started(s, row, 0, &error))
        fail_msg("%s", error.message);
}

json_t *store_entry(const char *row, int number, bool failed) {
    json_t *entry =
        json_pack("{ss ss ss si si sf sf sf s{ss ss ss si si si si ss ss}}", "name", row, "run_name", row,
                  "run_type", "iteration", "repetitions", 1, "number", number, "flops", 1.0, "bytes", 1.0,
                  "kv_bytes_formula", 1.0, "case", "kind", "attention", "type", "mha", "mode", "decode", "L",
                  1, "q", 1, "h", 1, "d", 1, "kv", "f32", "impl", "blas");
    json_t *outcome = failed ? json_pack("{sb ss}", "error_occurred", 1, "error_message", "it is a test")
                             : json_pack("{sf sf sf si ss}", "kv_bytes_live", 1.0, "real_time", 2.0,
                                         "cpu_time", 2.0, "iterations", 10, "time_unit", "ns");
    assert_int_equal(json_object_update(entry, outcome), 0);
    json_decref(outcome);
    return entry;
}

void finish_case(results_store *s, const char *row, int number, bool failed) {
    attn_error error = {0};
    json_t *entries = json_pack("[o]", store_entry(row, number, failed));
    if (store_finished(s, row, 0, entries, failed, &error))
        fail_msg("%s", error.message);
    json_decref(entries);
}

void assert_found(const results_store *s, const char *row, int number, bool failed) {
    bool has_failed;
    const json_t *entries = store_find(s, row, 0, &has_failed);
    assert_non_null(entries);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(entries, 0), "number")), number);
    assert_int_equal(has_failed, failed);
}

void assert_missing(const results_store *s, const char *row) {
    bool failed;
    assert_null(store_find(s, row, 0, &failed));
    assert_false(failed);
}

char *file_text(const char *path, size_t *size) {
    attn_error error = {0};
    char *text = attn_read_file(path, 1 << 20, size, &error);
    if (!text)
        fail_msg("%s", error.message);
    return text;
}

void put_file(const char *path, const char *text, size_t size) {
    attn_error error = {0};
    if (attn_write_file(path, text, size, &error))
        fail_msg("%s", error.message);
}
