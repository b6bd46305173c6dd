#include "harness/results/store.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], results[96], journal[112];
static const store_identity us = {"tiny", "hash-1", "commit-1", "machine-1"};

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/attnbench-store-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(results, sizeof results, "%s/R.json", folder);
    snprintf(journal, sizeof journal, "%s.journal", results);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static results_store *open_store(store_state expected) {
    results_store *s;
    store_state state;
    attn_error error = {0};
    if (store_open(&s, &state, results, &us, STORE_REFUSE, &error))
        fail_msg("%s", error.message);
    assert_int_equal(state, expected);
    return s;
}

static void assert_refused(const store_identity *identity, const char *message) {
    results_store *s;
    store_state state;
    attn_error error = {0};
    assert_int_equal(store_open(&s, &state, results, identity, STORE_REFUSE, &error), -1);
    assert_null(s);
    if (!strstr(error.message, message))
        fail_msg("\"%s\" does not say \"%s\"", error.message, message);
}

static void start(results_store *s, const char *row) {
    attn_error error = {0};
    if (store_started(s, row, 0, &error))
        fail_msg("%s", error.message);
}

/* The one entry of a row, as a sweep writes it; `number` sets entries apart. */
static json_t *entry_of(const char *row, int number, bool failed) {
    if (failed)
        return json_pack("{ss ss ss si si so so so sb ss s{ss ss ss si si si si ss ss}}", "name", row,
                         "run_name", row, "run_type", "iteration", "repetitions", 1, "number", number,
                         "flops", json_real(1), "bytes", json_real(1), "kv_bytes_formula", json_real(1),
                         "error_occurred", 1, "error_message", "it is a test", "case", "kind", "attention",
                         "type", "mha", "mode", "decode", "L", 1, "q", 1, "h", 1, "d", 1, "kv", "f32", "impl",
                         "blas");
    return json_pack("{ss ss ss si si so so so so so so si ss s{ss ss ss si si si si ss ss}}", "name", row,
                     "run_name", row, "run_type", "iteration", "repetitions", 1, "number", number, "flops",
                     json_real(1), "bytes", json_real(1), "kv_bytes_formula", json_real(1), "kv_bytes_live",
                     json_real(1), "real_time", json_real(2), "cpu_time", json_real(2), "iterations", 10,
                     "time_unit", "ns", "case", "kind", "attention", "type", "mha", "mode", "decode", "L", 1,
                     "q", 1, "h", 1, "d", 1, "kv", "f32", "impl", "blas");
}

static void finish(results_store *s, const char *row, int number, bool failed) {
    attn_error error = {0};
    json_t *entries = json_pack("[o]", entry_of(row, number, failed));
    if (store_finished(s, row, 0, entries, failed, &error))
        fail_msg("%s", error.message);
    json_decref(entries);
}

static void assert_found(const results_store *s, const char *row, int number, bool failed) {
    bool has_failed;
    const json_t *entries = store_find(s, row, 0, &has_failed);
    assert_non_null(entries);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(entries, 0), "number")), number);
    assert_int_equal(has_failed, failed);
}

static void assert_missing(const results_store *s, const char *row) {
    bool failed;
    assert_null(store_find(s, row, 0, &failed));
    assert_false(failed);
}

static char *contents(const char *path, size_t *size) {
    attn_error error = {0};
    char *text = attn_read_file(path, 1 << 20, size, &error);
    if (!text)
        fail_msg("%s", error.message);
    return text;
}

static void put(const char *path, const char *text, size_t size) {
    attn_error error = {0};
    if (attn_write_file(path, text, size, &error))
        fail_msg("%s", error.message);
}

static void commit(results_store *s) {
    attn_error error = {0};
    json_t *all = json_pack("{s{s{ss ss ss ss si si}} s[]}", "context", "attnbench", "plan", us.plan,
                            "plan_sha", us.plan_hash, "commit", us.commit, "fingerprint", us.fingerprint,
                            "cases", 3, "failed", 1, "benchmarks");
    assert_non_null(all);
    if (store_commit(s, all, &error))
        fail_msg("%s", error.message);
    json_decref(all);
}

static void test_resume(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    char date[64];
    strcpy(date, store_date(s));
    assert_int_equal(strlen(date), strlen("2026-01-31T12:00:00+00:00"));
    start(s, "a");
    finish(s, "a", 1, false);
    start(s, "b");
    assert_found(s, "a", 1, false);
    assert_missing(s, "b");
    store_close(s);

    s = open_store(STORE_RESUMED);
    assert_string_equal(store_date(s), date);
    assert_int_equal(store_interrupted(s), 1);
    assert_found(s, "a", 1, false);
    assert_missing(s, "b");
    start(s, "b");
    store_close(s);

    s = open_store(STORE_RESUMED);
    assert_int_equal(store_interrupted(s), 2);
    start(s, "b");
    finish(s, "b", 2, true);
    store_close(s);

    s = open_store(STORE_RESUMED);
    assert_int_equal(store_interrupted(s), 2);
    assert_found(s, "b", 2, true);
    store_close(s);
}

/* However much of the file a kill left, what was finished before is there and nothing else. */
static void test_cut_anywhere(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    start(s, "a");
    finish(s, "a", 1, false);
    start(s, "b");
    finish(s, "b", 2, false);
    store_close(s);
    size_t size;
    char *whole = contents(journal, &size);
    size_t finished_a = (size_t)(strstr(strstr(whole, "\"finished\":\"a\""), "\n") - whole) + 1;
    for (size_t cut = 0; cut < size; cut += 3) {
        put(journal, whole, cut);
        bool begun = memchr(whole, '\n', cut) != NULL;
        s = open_store(begun ? STORE_RESUMED : STORE_NEW);
        if (cut >= finished_a)
            assert_found(s, "a", 1, false);
        else
            assert_missing(s, "a");
        assert_missing(s, "b");
        start(s, "b");
        finish(s, "b", 3, false);
        store_close(s);
        s = open_store(STORE_RESUMED);
        assert_found(s, "b", 3, false);
        store_close(s);
    }
    attn_free(whole);
}

static void test_another_identity(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    finish(s, "a", 1, false);
    store_close(s);
    store_identity other = us;
    other.plan = "full";
    assert_refused(&other, "holds results of another plan (tiny; this sweep's is full)");
    other = us;
    other.plan_hash = "hash-2";
    assert_refused(&other, "other rows or settings (hash-1; this sweep's is hash-2)");
    other = us;
    other.commit = "commit-2";
    assert_refused(&other, "another commit (commit-1; this sweep's is commit-2)");
    other = us;
    other.fingerprint = "machine-2";
    assert_refused(&other, "another machine (machine-1; this sweep's is machine-2)");

    s = open_store(STORE_RESUMED); /* refusing changed nothing */
    assert_found(s, "a", 1, false);
    commit(s);
    store_close(s);
    assert_refused(&other, "another machine");
}

static results_store *open_by(const store_identity *identity, store_policy policy, store_state expected) {
    results_store *s;
    store_state now;
    attn_error error = {0};
    if (store_open(&s, &now, results, identity, policy, &error))
        fail_msg("%s", error.message);
    assert_int_equal(now, expected);
    return s;
}

static void test_replace_and_restart(void **state) {
    (void)state;
    store_identity other = us;
    other.commit = "commit-2";
    results_store *s = open_store(STORE_NEW);
    finish(s, "a", 1, false);
    store_close(s);
    s = open_by(&us, STORE_REPLACE, STORE_RESUMED); /* the same: goes on */
    assert_found(s, "a", 1, false);
    store_close(s);
    s = open_by(&other, STORE_REPLACE, STORE_NEW);
    assert_missing(s, "a");
    finish(s, "b", 2, false);
    store_close(s);
    assert_refused(&us, "another commit (commit-2; this sweep's is commit-1)"); /* really begun anew */
    s = open_by(&us, STORE_RESTART, STORE_NEW);
    finish(s, "a", 1, false);
    commit(s);
    store_close(s);
    assert_null(open_by(&us, STORE_REPLACE, STORE_COMPLETE));
    store_close(open_by(&other, STORE_REPLACE, STORE_NEW));
    assert_int_equal(access(results, F_OK), -1);
    put(results, "{}", 2);
    unlink(journal);
    store_state now;
    attn_error error = {0};
    assert_int_equal(store_open(&s, &now, results, &us, STORE_REPLACE, &error), -1);
    assert_non_null(strstr(error.message, "is not a results file of attnbench"));
    store_close(open_by(&us, STORE_RESTART, STORE_NEW));
}

static void test_complete(void **state) {
    (void)state;
    size_t cases, failed;
    attn_error error = {0};
    results_store *s = open_store(STORE_NEW);
    start(s, "a");
    finish(s, "a", 1, false);
    commit(s);
    store_close(s);
    assert_int_equal(access(journal, F_OK), -1);
    put(journal, "{\"journal\"", 10); /* a kill may come before it is removed */
    assert_null(open_store(STORE_COMPLETE));
    assert_int_equal(access(journal, F_OK), -1);
    assert_int_equal(store_read_counts(results, &cases, &failed, &error), 0);
    assert_int_equal(cases, 3);
    assert_int_equal(failed, 1);
}

static void test_files_of_others(void **state) {
    (void)state;
    put(results, "{}", 2);
    assert_refused(&us, "R.json: is not a results file of attnbench");
    put(results, "", 0);
    assert_refused(&us, "is not a results file of attnbench");
    unlink(results);
    static const char *const journals[] = {"my diary", "my\ndiary\n", "{\"journal\":2}\n",
                                           "[]\n",     "{}\n",        "\n"};
    for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
        size_t size;
        put(journal, journals[i], strlen(journals[i]));
        assert_refused(&us, "R.json.journal:1: ");
        char *after = contents(journal, &size);
        assert_string_equal(after, journals[i]);
        attn_free(after);
    }
    unlink(journal);
    store_close(open_store(STORE_NEW));
    size_t size;
    char *begun = contents(journal, &size), text[1024];
    snprintf(text, sizeof text, "%s{\"started\":\"a\"}\n{\"lunch\":1}\n", begun);
    put(journal, text, strlen(text));
    attn_free(begun);
    assert_refused(&us, "R.json.journal:3: unknown line");
}

/* A journal with one line about the row "a" whose entries and failed are these. */
static void put_finished(json_t *entries, json_t *failed) {
    unlink(journal);
    store_close(open_store(STORE_NEW));
    size_t size;
    char *begun = contents(journal, &size);
    json_t *line = json_pack("{ss so so}", "finished", "a", "failed", failed, "entries", entries);
    char *text = json_dumps(line, JSON_COMPACT);
    char *all = attn_format(NULL, "%s{\"started\":\"a\"}\n%s\n", begun, text);
    put(journal, all, strlen(all));
    attn_free(all);
    free(text);
    json_decref(line);
    attn_free(begun);
}

static json_t *with(json_t *entry, const char *key, json_t *value) {
    json_object_set_new(entry, key, value);
    return entry;
}

static json_t *aggregate(const char *name, double time) {
    return json_pack("{ss ss ss ss sf sf ss}", "name", name, "run_name", "a", "run_type", "aggregate",
                     "aggregate_name", "mean", "real_time", time, "cpu_time", time, "time_unit", "ns");
}

static void test_changed_lines(void **state) {
    (void)state;
    json_t *own = entry_of("a", 1, false), *failure = entry_of("a", 1, true);
    const struct {
        json_t *entries, *failed;
        const char *what; /* NULL: believed */
    } cases[] = {
        {json_pack("[O]", own), json_false(), NULL},
        {json_pack("[O o]", own, aggregate("a_mean", 2)), json_false(), NULL},
        {json_pack("[O]", failure), json_true(), NULL},
        {json_pack("[]"), json_false(), "no entries of a"},
        {json_pack("[i s n]", 1, "x"), json_false(), "entry 0 of a is no object"},
        {json_pack("[O n]", own), json_false(), "entry 1 of a is no object"},
        {json_pack("[o]", entry_of("b", 1, false)), json_false(), "the name of another case"},
        {json_pack("[o]", with(entry_of("a", 1, false), "name", json_string("b"))), json_false(),
         "the name of another case"},
        {json_pack("[o]", with(entry_of("a", 1, false), "run_name", json_string("b"))), json_false(),
         "the name of another case"},
        {json_pack("[o]", with(entry_of("a", 1, false), "name", json_string("a_mean"))), json_false(),
         "the name of another case"},
        {json_pack("[O o]", own, aggregate("b_mean", 2)), json_false(), "the name of another case"},
        {json_pack("[O o]", own, aggregate("a_mean", -2)), json_false(), "no times from 0"},
        {json_pack("[o]", aggregate("a_mean", 2)), json_false(), "aggregates only"},
        {json_pack("[o]", with(entry_of("a", 1, false), "real_time", json_real(-1))), json_false(),
         "real_time: found -1"},
        {json_pack("[o]", with(entry_of("a", 1, false), "cpu_time", json_integer(0))), json_false(),
         "cpu_time"},
        {json_pack("[o]", with(entry_of("a", 1, false), "iterations", json_string("1"))), json_false(),
         "iterations"},
        {json_pack("[o]", with(entry_of("a", 1, false), "time_unit", json_string("ms"))), json_false(),
         "time_unit"},
        {json_pack("[o]", with(entry_of("a", 1, false), "repetitions", json_integer(3))), json_false(),
         "1 entries of repetitions of a, expected 3"},
        {json_pack("[o]", with(entry_of("a", 1, false), "case", json_string("x"))), json_false(), "case"},
        {json_pack("[O O]", own, own), json_false(), "2 entries of repetitions of a, expected 1"},
        {json_pack("[O]", own), json_true(), "a failed, but its entries are not one error"},
        {json_pack("[O]", failure), json_false(), "0 entries of repetitions"},
        {json_pack("[O]", own), json_string("no"), "failed is neither true nor false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *first;
        assert_non_null(cases[i].entries);
        put_finished(cases[i].entries, cases[i].failed);
        results_store *s = open_store(STORE_RESUMED);
        bool failed, believed = store_find(s, "a", 0, &failed) != NULL;
        if (store_damaged(s, &first) != (cases[i].what != NULL) || believed != !cases[i].what)
            fail_msg("case %zu: %s", i, first);
        if (cases[i].what && (!strstr(first, "R.json.journal:3: ") || !strstr(first, cases[i].what)))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, first, cases[i].what);
        finish(s, "a", 7, false); /* run again: from now on that counts */
        store_close(s);
        s = open_store(STORE_RESUMED);
        assert_found(s, "a", 7, false);
        store_close(s);
    }
    json_decref(own);
    json_decref(failure);
}

static void test_unwritable(void **state) {
    (void)state;
    char path[128];
    results_store *s;
    store_state now;
    attn_error error = {0};
    snprintf(path, sizeof path, "%s/missing/R.json", folder);
    assert_int_equal(store_open(&s, &now, path, &us, STORE_REFUSE, &error), -1);
    assert_non_null(strstr(error.message, "missing/R.json.journal: cannot be written: No such file"));
    error = (attn_error){0};
    assert_int_equal(store_open(&s, &now, folder, &us, STORE_RESTART, &error), -1);
    assert_non_null(strstr(error.message, "not a regular file"));
}

static void test_two_at_once(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    assert_refused(&us, "another sweep is writing it");
    store_close(s);
    store_close(open_store(STORE_RESUMED));
}

/* A file size limit stands for a full disk. */
static void limit_file_size(rlim_t bytes) {
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    start(s, "a");
    finish(s, "a", 1, false);
    size_t size, after;
    char *before = contents(journal, &size);
    attn_error error = {0};
    limit_file_size(size + 10);
    assert_int_equal(store_started(s, "b", 0, &error), -1);
    limit_file_size(RLIM_INFINITY);
    assert_non_null(strstr(error.message, "R.json.journal: cannot be written: File too large"));
    char *now = contents(journal, &after);
    assert_string_equal(before, now);
    start(s, "b"); /* room again */
    finish(s, "b", 2, false);
    error = (attn_error){0};
    json_t *all = json_pack("{ss}", "long", "long enough not to fit");
    limit_file_size(10);
    assert_int_equal(store_commit(s, all, &error), -1);
    limit_file_size(RLIM_INFINITY);
    json_decref(all);
    assert_int_equal(access(results, F_OK), -1);
    store_close(s);
    s = open_store(STORE_RESUMED);
    assert_found(s, "a", 1, false);
    assert_found(s, "b", 2, false);
    store_close(s);
    attn_free(before);
    attn_free(now);
    unlink(journal);
    limit_file_size(20);
    assert_refused(&us, "cannot be written: File too large");
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(access(journal, F_OK), -1);
}

static void test_no_memory(void **state) {
    (void)state;
    store_close(open_store(STORE_NEW));
    size_t live = attn_alloc_live();
    for (size_t nth = 1;; nth++) {
        results_store *s;
        store_state now;
        attn_error error = {0};
        attn_alloc_fail_at(nth);
        int result = store_open(&s, &now, results, &us, STORE_REFUSE, &error);
        attn_alloc_fail_at(0);
        if (!result) {
            assert_true(nth > 3);
            store_close(s);
            break;
        }
        assert_non_null(strstr(error.message, "out of memory"));
        assert_int_equal(attn_alloc_live(), live);
    }
    assert_int_equal(attn_alloc_live(), live);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_resume),           IN_FOLDER(test_cut_anywhere),
        IN_FOLDER(test_another_identity), IN_FOLDER(test_replace_and_restart),
        IN_FOLDER(test_complete),         IN_FOLDER(test_files_of_others),
        IN_FOLDER(test_changed_lines),    IN_FOLDER(test_unwritable),
        IN_FOLDER(test_two_at_once),      IN_FOLDER(test_full_disk),
        IN_FOLDER(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
