/* Stored results against each other: verdicts, absent cases, bytes, and what makes them not comparable.
 * Starts early. */
#include "base/text/json.h"
#include "harness/gate/compare.h"
#include "harness/gate/decide/one_process.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/gate_reports.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char SAMPLE[] = "tests/data/results_sample.json";
static const char VICTIM[] = "attention/mha/decode/L:1000/q:1/B:1/h:4/d:512/kv:f32/pos:none/impl:blas";
static const char BROKEN[] = "attention/mla_simple/decode/L:1000/q:1/B:1/h:8/d:512/dc:256/kv:f32/pos:none/"
                             "path:expand/impl:blas";

static const gate_rule rule = {GATE_ALPHA, GATE_BETA, 0.019802627296179712}; /* log 1.02 */

/* Copies of what is read once. */
static json_t *sample(void) {
    static json_t *read = NULL;
    if (!read)
        read = json_load_file(SAMPLE, 0, NULL);
    json_t *root = json_deep_copy(read);
    assert_non_null(root);
    return root;
}

static results parsed(json_t *root) {
    results r;
    attn_error error = {0};
    if (results_take(&r, root, "R.json", &error))
        fail_msg("%s", error.message);
    return r;
}

/* Times of every case are multiplied by 1 + spread * (-1..1), the victim's by `slower` too. */
static void change_times(json_t *root, double spread, double slower) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(root, "benchmarks"), i, entry) {
        const char *name = json_text(entry, "run_name");
        double time = json_number(entry, "real_time"), turn = 0;
        for (const char *c = name; *c; c++)
            turn = fmod(turn * 31 + (double)*c, 1009);
        time *= 1 + spread * (2 * turn / 1009 - 1);
        if (!isnan(time))
            json_object_set_new(entry, "real_time", json_real(strcmp(name, VICTIM) ? time : time * slower));
    }
}

static void drop_case(json_t *root, const char *name) {
    json_t *entries = json_object_get(root, "benchmarks");
    for (size_t i = json_array_size(entries); i-- > 0;)
        if (!strcmp(json_text(json_array_get(entries, i), "run_name"), name))
            json_array_remove(entries, i);
}

static gate_report report_of(json_t *base, json_t *candidate, const char *caution) {
    results a = parsed(base), b = parsed(candidate);
    attn_error error = {0};
    gate_report report = {.command = "compare", .settings = json_object(), .notes = json_array()};
    if (compare_rows(&report.rows, &a, &b, &rule, NAN, caution, &error))
        fail_msg("%s", error.message);
    results_free(&a);
    results_free(&b);
    return report;
}

static const gate_row *row_of(const gate_report *report, const char *name) {
    for (size_t i = 0; i < report->rows.count; i++)
        if (!strcmp(report->rows.row[i].name, name))
            return &report->rows.row[i];
    fail_msg("no row %s", name);
    return NULL;
}

static const char *verdict_of(const gate_report *report, const char *name) {
    return gate_verdict_name(row_of(report, name)->verdict);
}

static size_t count_of(const gate_report *report, const char *what) {
    gate_tally tally[GATE_TALLIES];
    for (size_t i = 0, n = gate_report_tally(tally, report); i < n; i++)
        if (!strcmp(tally[i].what, what))
            return tally[i].count;
    return 0;
}

static void test_same_file(void **state) {
    (void)state;
    gate_report report = report_of(sample(), sample(), NULL);
    assert_int_equal(count_of(&report, "SAME"), report.rows.count - 1);
    const gate_row *broken =
        row_of(&report, BROKEN); /* its check failed: no pass, and nothing that the candidate did */
    assert_string_equal(gate_verdict_name(broken->verdict), "BASE FAILED");
    assert_non_null(strstr(broken->why, "output differs"));
    assert_int_equal(gate_report_status(&report), 3);
    gate_done(&report);
}

static void test_slow_down_among_noise(void **state) {
    (void)state;
    json_t *candidate = sample();
    change_times(candidate, 0.01, 1.5);
    gate_report report = report_of(sample(), candidate, NULL);
    assert_string_equal(verdict_of(&report, VICTIM), "SLOWER");
    assert_int_equal(count_of(&report, "SLOWER"), 1);
    assert_int_equal(count_of(&report, "FASTER"), 0);
    assert_int_equal(gate_report_status(&report), 1);
    gate_done(&report);
}

static void test_noise_alone(void **state) {
    (void)state;
    for (double spread = 0.01; spread < 0.5; spread *= 2) {
        json_t *candidate = sample();
        change_times(candidate, spread, 1);
        gate_report report = report_of(sample(), candidate, NULL);
        assert_int_equal(count_of(&report, "SLOWER") + count_of(&report, "FASTER"), 0);
        assert_int_equal(gate_report_status(&report), 3);
        gate_done(&report);
    }
}

/* What moves all cases alike may be the machine: it is no finding, and no pass. */
static void test_common_shift(void **state) {
    (void)state;
    json_t *base = sample(), *candidate = sample();
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(candidate, "benchmarks"), i, entry) {
        double time = json_number(entry, "real_time");
        if (!isnan(time))
            json_object_set_new(entry, "real_time", json_real(1.1 * time));
    }
    gate_report report = report_of(base, candidate, NULL);
    assert_int_equal(count_of(&report, "SLOWER") + count_of(&report, "SAME"), 0);
    assert_int_equal(gate_report_status(&report), 3);
    gate_done(&report);
}

static void test_missing(void **state) {
    (void)state;
    json_t *shorter = sample();
    drop_case(shorter, VICTIM);
    gate_report report = report_of(json_deep_copy(shorter), sample(), NULL);
    assert_string_equal(verdict_of(&report, VICTIM), "MISSING IN BASE");
    gate_done(&report);
    report = report_of(sample(), shorter, NULL);
    assert_string_equal(verdict_of(&report, VICTIM), "MISSING IN CANDIDATE");
    assert_int_equal(gate_report_status(&report), 3);
    gate_done(&report);
    json_t *base = sample();
    drop_case(base, BROKEN); /* now only the candidate has it, failed */
    report = report_of(base, sample(), NULL);
    assert_string_equal(verdict_of(&report, BROKEN), "CANDIDATE FAILED");
    assert_int_equal(gate_report_status(&report), 1);
    gate_done(&report);
}

static void mark_unsupported(json_t *root) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(root, "benchmarks"), i, entry) {
        if (!strcmp(json_text(entry, "run_name"), BROKEN))
            json_object_set_new(entry, "unsupported", json_true());
    }
}

/* What a machine lacks is nobody's failure. */
static void test_unsupported(void **state) {
    (void)state;
    static const char *const verdicts[] = {"NOT SUPPORTED HERE", "MISSING IN BASE", "MISSING IN CANDIDATE"};
    for (size_t i = 0; i < 3; i++) {
        json_t *base = sample(), *candidate = sample();
        mark_unsupported(base);
        mark_unsupported(candidate);
        if (i)
            drop_case(i == 1 ? base : candidate, BROKEN);
        gate_report report = report_of(base, candidate, NULL);
        assert_string_equal(verdict_of(&report, BROKEN), verdicts[i]);
        assert_int_equal(gate_report_status(&report), 3);
        gate_done(&report);
    }
}

static void test_no_case_is_no_pass(void **state) {
    (void)state;
    json_t *a = sample(), *b = sample();
    json_array_clear(json_object_get(a, "benchmarks"));
    json_array_clear(json_object_get(b, "benchmarks"));
    gate_report report = report_of(a, b, NULL);
    assert_int_equal(gate_report_status(&report), 3);
    gate_done(&report);
}

static void set_bytes(json_t *root, const char *key, double add) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(root, "benchmarks"), i, entry) {
        if (!strcmp(json_text(entry, "run_name"), VICTIM))
            json_object_set_new(entry, key, json_real(4096000 + add));
    }
}

static void test_bytes(void **state) {
    (void)state;
    static const char *const keys[] = {"kv_bytes_live", "conv_bytes_live", "peak_bytes"};
    static const char *const shown[] = {"kv_bytes", "conv_bytes", "peak_bytes"};
    for (size_t k = 0; k < 3; k++) {
        assert_string_equal(gate_byte_counts[k].key, shown[k]);
        json_t *base = sample(), *more = sample(), *less = sample();
        drop_case(base, BROKEN);
        drop_case(more, BROKEN);
        drop_case(less, BROKEN);
        set_bytes(base, keys[k], 0);
        set_bytes(more, keys[k], 1);
        set_bytes(less, keys[k], -1);
        gate_report report = report_of(json_deep_copy(base), more, NULL);
        assert_string_equal(gate_bytes_name(gate_row_bytes(row_of(&report, VICTIM), k)), "GREW");
        assert_int_equal(count_of(&report, "GREW"), 1);
        assert_int_equal(gate_report_status(&report), 1);
        gate_done(&report);
        report = report_of(base, less, NULL);
        assert_string_equal(gate_bytes_name(gate_row_bytes(row_of(&report, VICTIM), k)), "SHRANK");
        assert_int_equal(gate_report_status(&report), 0);
        gate_done(&report);
    }
}

static void drop_bytes(json_t *root, const char *key) {
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(root, "benchmarks"), i, entry) {
        if (!strcmp(json_text(entry, "run_name"), VICTIM))
            json_object_del(entry, key);
    }
}

/* A side that stops telling its bytes must not pass for one whose bytes are the same. */
static void test_bytes_of_one_side(void **state) {
    (void)state;
    static const char key[] = "peak_bytes";
    for (int both = 0; both < 2; both++) {
        json_t *base = sample(), *silent = sample();
        drop_case(base, BROKEN);
        drop_case(silent, BROKEN);
        set_bytes(base, key, 0);
        drop_bytes(silent, key);
        if (both)
            drop_bytes(base, key);
        gate_report report = report_of(base, silent, NULL);
        assert_string_equal(gate_bytes_name(gate_row_bytes(row_of(&report, VICTIM), GATE_PEAK_BYTES)),
                            both ? "UNKNOWN" : "MISSING");
        assert_int_equal(gate_report_status(&report), both ? 0 : 3);
        char *markdown = gate_written(gate_report_markdown, &report);
        assert_int_equal(strstr(markdown, "| peak memory | 4096000 | — |") != NULL, !both);
        free(markdown);
        gate_done(&report);
    }
}

static json_t *changed(const char *object, const char *key, json_t *value) {
    json_t *root = sample(), *own = json_object_get(json_object_get(root, "context"), "attnbench");
    json_object_set_new(object ? json_object_get(own, object) : json_object_get(root, "context"), key, value);
    return root;
}

static void test_surroundings(void **state) {
    (void)state;
    static const struct {
        const char *object, *key, *name;
    } fields[] = {{"machine", "cpu", "machine.cpu"},       {"blas", "core", "blas.core"},
                  {"blas", "library", "blas.library"},     {"build", "compiler", "build.compiler"},
                  {"build", "flags", "build.flags"},       {"machine", "governor", "machine.governor"},
                  {"machine", "kernel", "machine.kernel"}, {NULL, "num_cpus", "num_cpus"}};
    char text[1024];
    results base = parsed(sample()), same = parsed(sample());
    assert_int_equal(compare_surroundings(text, sizeof text, &base, &same), 0);
    assert_string_equal(text, "");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        results other = parsed(changed(fields[i].object, fields[i].key, json_string("another")));
        assert_int_equal(compare_surroundings(text, sizeof text, &base, &other), 1);
        assert_non_null(strstr(text, fields[i].name));
        assert_non_null(strstr(text, "another"));
        assert_true(compare_surroundings(text, 10, &base, &other) == 1 && strlen(text) < 10);
        results_free(&other);
    }
    results threads = parsed(changed("blas", "threads", json_integer(2)));
    assert_int_equal(compare_surroundings(text, sizeof text, &base, &threads), 1);
    assert_string_equal(text, "blas.threads (1, 2)");
    results_free(&threads);
    results_free(&same);
    results_free(&base);
}

static void test_caution_in_every_row(void **state) {
    (void)state;
    gate_report report = report_of(sample(), sample(), "not comparable: blas.core (a, b)");
    for (size_t i = 0; i < report.rows.count; i++)
        assert_non_null(strstr(report.rows.row[i].why, "not comparable: blas.core (a, b)"));
    gate_done(&report);
}

/* The exit status comes from the cases, or from the signal that ended the gate; JSON repeats it. */
static void test_status(void **state) {
    (void)state;
    gate_report report = report_of(sample(), sample(), NULL);
    for (int interrupted = 0; interrupted < 2; interrupted++) {
        report.interrupted = interrupted ? 130 : 0;
        assert_int_equal(gate_report_status(&report), interrupted ? 130 : 3);
        json_t *all = gate_report_json(&report);
        const json_t *head = json_object_get(all, "gate");
        assert_int_equal(json_integer_value(json_object_get(head, "status")), interrupted ? 130 : 3);
        assert_string_equal(json_text(head, "verdict"), "UNDECIDED");
        assert_int_equal(json_integer_value(json_object_get(json_object_get(head, "counts"), "SAME")),
                         count_of(&report, "SAME"));
        json_decref(all);
    }
    gate_done(&report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_file),
        cmocka_unit_test(test_slow_down_among_noise),
        cmocka_unit_test(test_noise_alone),
        cmocka_unit_test(test_common_shift),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_no_case_is_no_pass),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_bytes_of_one_side),
        cmocka_unit_test(test_surroundings),
        cmocka_unit_test(test_caution_in_every_row),
        cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
