/* A store: who may open it, what is resumed, replaced and complete. */
#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/stores.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void commit(results_store *s) {
    attn_error error = {0};
    json_t *all = json_pack("{s{s{ss ss ss ss si si}} s[]}", "context", "attnbench", "plan", store_us.plan,
                            "plan_sha", store_us.plan_hash, "commit", store_us.commit, "fingerprint",
                            store_us.fingerprint, "cases", 3, "failed", 1, "benchmarks");
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
    start_case(s, "a");
    finish_case(s, "a", 1, false);
    start_case(s, "b");
    assert_found(s, "a", 1, false);
    assert_missing(s, "b");
    store_close(s);

    s = open_store(STORE_RESUMED);
    assert_string_equal(store_date(s), date);
    assert_int_equal(store_interrupted(s), 1);
    assert_found(s, "a", 1, false);
    assert_missing(s, "b");
    start_case(s, "b");
    store_close(s);

    s = open_store(STORE_RESUMED);
    assert_int_equal(store_interrupted(s), 2);
    start_case(s, "b");
    finish_case(s, "b", 2, true);
    store_close(s);

    s = open_store(STORE_RESUMED);
    assert_int_equal(store_interrupted(s), 2);
    assert_found(s, "b", 2, true);
    store_close(s);
}

static void test_another_identity(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    finish_case(s, "a", 1, false);
    store_close(s);
    store_identity other = store_us;
    other.plan = "full";
    assert_refused(&other, "holds results of another plan (tiny; this sweep's is full)");
    other = store_us;
    other.plan_hash = "hash-2";
    assert_refused(&other, "other rows or settings (hash-1; this sweep's is hash-2)");
    other = store_us;
    other.commit = "commit-2";
    assert_refused(&other, "another commit (commit-1; this sweep's is commit-2)");
    other = store_us;
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
    if (store_open(&s, &now, results_path, identity, policy, &error))
        fail_msg("%s", error.message);
    assert_int_equal(now, expected);
    return s;
}

static void test_replace_and_restart(void **state) {
    (void)state;
    store_identity other = store_us;
    other.commit = "commit-2";
    results_store *s = open_store(STORE_NEW);
    finish_case(s, "a", 1, false);
    store_close(s);
    s = open_by(&store_us, STORE_REPLACE, STORE_RESUMED); /* the same: goes on */
    assert_found(s, "a", 1, false);
    store_close(s);
    s = open_by(&other, STORE_REPLACE, STORE_NEW);
    assert_missing(s, "a");
    finish_case(s, "b", 2, false);
    store_close(s);
    assert_refused(&store_us, "another commit (commit-2; this sweep's is commit-1)"); /* really begun anew */
    s = open_by(&store_us, STORE_RESTART, STORE_NEW);
    finish_case(s, "a", 1, false);
    commit(s);
    store_close(s);
    assert_null(open_by(&store_us, STORE_REPLACE, STORE_COMPLETE));
    store_close(open_by(&other, STORE_REPLACE, STORE_NEW));
    assert_int_equal(access(results_path, F_OK), -1);
    put_file(results_path, "{}", 2);
    unlink(journal_path);
    store_state now;
    attn_error error = {0};
    assert_int_equal(store_open(&s, &now, results_path, &store_us, STORE_REPLACE, &error), -1);
    assert_non_null(strstr(error.message, "is not a results file of attnbench"));
    store_close(open_by(&store_us, STORE_RESTART, STORE_NEW));
}

static void test_complete(void **state) {
    (void)state;
    size_t cases, failed;
    attn_error error = {0};
    results_store *s = open_store(STORE_NEW);
    start_case(s, "a");
    finish_case(s, "a", 1, false);
    commit(s);
    store_close(s);
    assert_int_equal(access(journal_path, F_OK), -1);
    put_file(journal_path, "{\"journal\"", 10); /* a kill may come before it is removed */
    assert_null(open_store(STORE_COMPLETE));
    assert_int_equal(access(journal_path, F_OK), -1);
    assert_int_equal(store_read_counts(results_path, &cases, &failed, &error), 0);
    assert_int_equal(cases, 3);
    assert_int_equal(failed, 1);
}

static void test_unwritable(void **state) {
    (void)state;
    char path[320];
    results_store *s;
    store_state now;
    attn_error error = {0};
    snprintf(path, sizeof path, "%s/missing/R.json", store_folder);
    assert_int_equal(store_open(&s, &now, path, &store_us, STORE_REFUSE, &error), -1);
    assert_non_null(strstr(error.message, "missing/R.json.journal: cannot be written: No such file"));
    error = (attn_error){0};
    assert_int_equal(store_open(&s, &now, store_folder, &store_us, STORE_RESTART, &error), -1);
    assert_non_null(strstr(error.message, "not a regular file"));
}

static void test_two_at_once(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    assert_refused(&store_us, "another sweep is writing it");
    store_close(s);
    store_close(open_store(STORE_RESUMED));
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
        int result = store_open(&s, &now, results_path, &store_us, STORE_REFUSE, &error);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_STORE_FOLDER(test_resume),
        IN_STORE_FOLDER(test_another_identity),
        IN_STORE_FOLDER(test_replace_and_restart),
        IN_STORE_FOLDER(test_complete),
        IN_STORE_FOLDER(test_unwritable),
        IN_STORE_FOLDER(test_two_at_once),
        IN_STORE_FOLDER(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
