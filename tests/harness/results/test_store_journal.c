/* The journal of a store: cut anywhere, changed by hand, of others, on a full disk. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/stores.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* However much of the file a kill left, what was finished before is there and nothing else. */
static void test_cut_anywhere(void **state) {
    (void)state;
    results_store *s = open_store(STORE_NEW);
    start_case(s, "a");
    finish_case(s, "a", 1, false);
    start_case(s, "b");
    finish_case(s, "b", 2, false);
    store_close(s);
    size_t size;
    char *whole = file_text(journal_path, &size);
    size_t finished_a = (size_t)(strstr(strstr(whole, "\"finished\":\"a\""), "\n") - whole) + 1;
    for (size_t cut = 0; cut < size; cut += 3) {
        put_file(journal_path, whole, cut);
        bool begun = memchr(whole, '\n', cut) != NULL;
        s = open_store(begun ? STORE_RESUMED : STORE_NEW);
        if (cut >= finished_a)
            assert_found(s, "a", 1, false);
        else
            assert_missing(s, "a");
        assert_missing(s, "b");
        start_case(s, "b");
        finish_case(s, "b", 3, false);
        store_close(s);
        s = open_store(STORE_RESUMED);
        assert_found(s, "b", 3, false);
        store_close(s);
    }
    attn_free(whole);
}

static void test_files_of_others(void **state) {
    (void)state;
    put_file(results_path, "{}", 2);
    assert_refused(&store_us, "R.json: is not a results file of attnbench");
    put_file(results_path, "", 0);
    assert_refused(&store_us, "is not a results file of attnbench");
    unlink(results_path);
    static const char *const journals[] = {"my diary", "my\ndiary\n", "{\"journal\":2}\n",
                                           "[]\n",     "{}\n",        "\n"};
    for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
        size_t size;
        put_file(journal_path, journals[i], strlen(journals[i]));
        assert_refused(&store_us, "R.json.journal:1: ");
        char *after = file_text(journal_path, &size);
        assert_string_equal(after, journals[i]);
        attn_free(after);
    }
    unlink(journal_path);
    store_close(open_store(STORE_NEW));
    size_t size;
    char *begun = file_text(journal_path, &size), text[1024];
    snprintf(text, sizeof text, "%s{\"started\":\"a\"}\n{\"lunch\":1}\n", begun);
    put_file(journal_path, text, strlen(text));
    attn_free(begun);
    assert_refused(&store_us, "R.json.journal:3: unknown line");
}

/* A journal with one line about the row "a" whose entries and failed are these. */
static void put_finished(json_t *entries, json_t *failed) {
    unlink(journal_path);
    store_close(open_store(STORE_NEW));
    size_t size;
    char *begun = file_text(journal_path, &size);
    json_t *line = json_pack("{ss so so}", "finished", "a", "failed", failed, "entries", entries);
    char *text = json_dumps(line, JSON_COMPACT);
    char *all = attn_format(NULL, "%s{\"started\":\"a\"}\n%s\n", begun, text);
    put_file(journal_path, all, strlen(all));
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
    json_t *own = store_entry("a", 1, false), *failure = store_entry("a", 1, true);
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
        {json_pack("[o]", store_entry("b", 1, false)), json_false(), "the name of another case"},
        {json_pack("[o]", with(store_entry("a", 1, false), "name", json_string("b"))), json_false(),
         "the name of another case"},
        {json_pack("[o]", with(store_entry("a", 1, false), "run_name", json_string("b"))), json_false(),
         "the name of another case"},
        {json_pack("[o]", with(store_entry("a", 1, false), "name", json_string("a_mean"))), json_false(),
         "the name of another case"},
        {json_pack("[O o]", own, aggregate("b_mean", 2)), json_false(), "the name of another case"},
        {json_pack("[O o]", own, aggregate("a_mean", -2)), json_false(), "no times from 0"},
        {json_pack("[o]", aggregate("a_mean", 2)), json_false(), "aggregates only"},
        {json_pack("[o]", with(store_entry("a", 1, false), "real_time", json_real(-1))), json_false(),
         "real_time: found -1"},
        {json_pack("[o]", with(store_entry("a", 1, false), "cpu_time", json_integer(0))), json_false(),
         "cpu_time"},
        {json_pack("[o]", with(store_entry("a", 1, false), "iterations", json_string("1"))), json_false(),
         "iterations"},
        {json_pack("[o]", with(store_entry("a", 1, false), "time_unit", json_string("ms"))), json_false(),
         "time_unit"},
        {json_pack("[o]", with(store_entry("a", 1, false), "repetitions", json_integer(3))), json_false(),
         "1 entries of repetitions of a, expected 3"},
        {json_pack("[o]", with(store_entry("a", 1, false), "case", json_string("x"))), json_false(), "case"},
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
        finish_case(s, "a", 7, false); /* run again: from now on that counts */
        store_close(s);
        s = open_store(STORE_RESUMED);
        assert_found(s, "a", 7, false);
        store_close(s);
    }
    json_decref(own);
    json_decref(failure);
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
    start_case(s, "a");
    finish_case(s, "a", 1, false);
    size_t size, after;
    char *before = file_text(journal_path, &size);
    attn_error error = {0};
    limit_file_size(size + 10);
    assert_int_equal(store_started(s, "b", 0, &error), -1);
    limit_file_size(RLIM_INFINITY);
    assert_non_null(strstr(error.message, "R.json.journal: cannot be written: File too large"));
    char *now = file_text(journal_path, &after);
    assert_string_equal(before, now);
    start_case(s, "b"); /* room again */
    finish_case(s, "b", 2, false);
    error = (attn_error){0};
    json_t *all = json_pack("{ss}", "long", "long enough not to fit");
    limit_file_size(10);
    assert_int_equal(store_commit(s, all, &error), -1);
    limit_file_size(RLIM_INFINITY);
    json_decref(all);
    assert_int_equal(access(results_path, F_OK), -1);
    store_close(s);
    s = open_store(STORE_RESUMED);
    assert_found(s, "a", 1, false);
    assert_found(s, "b", 2, false);
    store_close(s);
    attn_free(before);
    attn_free(now);
    unlink(journal_path);
    limit_file_size(20);
    assert_refused(&store_us, "cannot be written: File too large");
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(access(journal_path, F_OK), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_STORE_FOLDER(test_cut_anywhere),
        IN_STORE_FOLDER(test_files_of_others),
        IN_STORE_FOLDER(test_changed_lines),
        IN_STORE_FOLDER(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
