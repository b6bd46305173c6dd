/* Stored results against each other: verdicts, absent cases, bytes, and what makes them not comparable. */
#include "base/text/json.h"
#include "tests/support/cmocka_all.h"

#include "harness/gate/compare.h"
#include "harness/gate/decide/one_process.h"
#include "harness/gate/report/report_output.h"

#include "attn/alloc.h"
#include "tests/support/scratch.h"

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

static void done_with(gate_report *report) {
    gate_report_free(report);
    assert_int_equal(attn_alloc_live(), 0);
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
    done_with(&report);
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
    done_with(&report);
}

static void test_noise_alone(void **state) {
    (void)state;
    for (double spread = 0.01; spread < 0.5; spread *= 2) {
        json_t *candidate = sample();
        change_times(candidate, spread, 1);
        gate_report report = report_of(sample(), candidate, NULL);
        assert_int_equal(count_of(&report, "SLOWER") + count_of(&report, "FASTER"), 0);
        assert_int_equal(gate_report_status(&report), 3);
        done_with(&report);
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
    done_with(&report);
}

static void test_missing(void **state) {
    (void)state;
    json_t *shorter = sample();
    drop_case(shorter, VICTIM);
    gate_report report = report_of(json_deep_copy(shorter), sample(), NULL);
    assert_string_equal(verdict_of(&report, VICTIM), "MISSING IN BASE");
    done_with(&report);
    report = report_of(sample(), shorter, NULL);
    assert_string_equal(verdict_of(&report, VICTIM), "MISSING IN CANDIDATE");
    assert_int_equal(gate_report_status(&report), 3);
    done_with(&report);
    json_t *base = sample();
    drop_case(base, BROKEN); /* now only the candidate has it, failed */
    report = report_of(base, sample(), NULL);
    assert_string_equal(verdict_of(&report, BROKEN), "CANDIDATE FAILED");
    assert_int_equal(gate_report_status(&report), 1);
    done_with(&report);
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
        done_with(&report);
    }
}

static void test_no_case_is_no_pass(void **state) {
    (void)state;
    json_t *a = sample(), *b = sample();
    json_array_clear(json_object_get(a, "benchmarks"));
    json_array_clear(json_object_get(b, "benchmarks"));
    gate_report report = report_of(a, b, NULL);
    assert_int_equal(gate_report_status(&report), 3);
    done_with(&report);
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
        done_with(&report);
        report = report_of(base, less, NULL);
        assert_string_equal(gate_bytes_name(gate_row_bytes(row_of(&report, VICTIM), k)), "SHRANK");
        assert_int_equal(gate_report_status(&report), 0);
        done_with(&report);
    }
}

static char *written(void (*write)(const gate_report *report, FILE *to), const gate_report *report) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    write(report, stream);
    fclose(stream);
    return text;
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
        char *markdown = written(gate_report_markdown, &report);
        assert_int_equal(strstr(markdown, "| peak memory | 4096000 | — |") != NULL, !both);
        free(markdown);
        done_with(&report);
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
    done_with(&report);
}

static void test_few_cases_have_no_noise(void **state) {
    (void)state;
    double differences[SINGLE_LEAST] = {0.01, -0.01, 0.02, -0.02, 0.03, -0.03, 0.005, 0.5};
    assert_true(isnan(single_scale(differences, SINGLE_LEAST - 1)));
    double scale = single_scale(differences, SINGLE_LEAST);
    assert_true(scale > 0.02 && scale < 0.04);
    gate_finding f = single_judge(0.5, NAN, 3, &rule);
    assert_int_equal(f.verdict, GATE_UNDECIDED);
    assert_int_equal(single_judge(0.0, NAN, 3, &rule).verdict, GATE_UNDECIDED);
    assert_int_equal(single_judge(0.5, 0.01, 3, &rule).verdict, GATE_SLOWER);
    assert_int_equal(single_judge(-0.5, 0.01, 3, &rule).verdict, GATE_FASTER);
    assert_int_equal(single_judge(0.001, 0.001, 3, &rule).verdict, GATE_SAME);
    assert_int_equal(single_judge(0.03, 0.01, 3, &rule).verdict, GATE_UNDECIDED);
    f = single_judge(0.021, 0.002, 3, &rule); /* beyond the smallest effect, but its interval is not */
    assert_true(f.estimate > f.floor && f.low < rule.min_effect);
    assert_int_equal(f.verdict, GATE_UNDECIDED);
    assert_int_equal(single_judge(-0.021, 0.002, 3, &rule).verdict, GATE_SAME);
}

static void test_undisturbed_count(void **state) {
    (void)state;
    double times[] = {9, 1, 8, 2, 3}, all[] = {4, 2, 3};
    static const bool disturbed[] = {true, false, true, false, false}, every[] = {true, true, true};
    assert_true(fabs(single_time(times, disturbed, 5) - 2) < 1e-15);
    assert_true(fabs(single_time(all, every, 3) - 3) < 1e-15);
    assert_true(isnan(single_time(all, every, 0)));
}

/* A candidate may print anything; the gate reports it nevertheless. */
static void test_text_that_is_not_utf8(void **state) {
    (void)state;
    gate_row row = {
        .name = "a/b", .verdict = GATE_CANDIDATE_FAILED, .why = "caf\xe9: 3 \xce\xbcs, cut: \xce"};
    attn_error error = {0};
    gate_report report = {.command = "gate", .settings = json_object(), .notes = json_array()};
    assert_int_equal(gate_rows_add(&report.rows, &row, &error), 0);
    assert_string_equal(report.rows.row[0].why, "caf?: 3 \xce\xbcs, cut: ");
    json_t *all = gate_report_json(&report);
    assert_string_equal(json_text(json_array_get(json_object_get(all, "cases"), 0), "why"),
                        report.rows.row[0].why);
    json_decref(all);
    done_with(&report);
}

/* Names and messages of programs under test must not become markup. */
static void test_hostile_text(void **state) {
    (void)state;
    attn_error error = {0};
    gate_row row = {.name = "a/b",
                    .verdict = GATE_CANDIDATE_FAILED,
                    .why = "<script>|\"&'\n\001`x`",
                    .unit = "ns",
                    .base = NAN,
                    .candidate = INFINITY,
                    .estimate = NAN,
                    .low = NAN,
                    .high = NAN,
                    .p = NAN,
                    .noise = NAN,
                    .floor = NAN,
                    .bytes = {{1, 2}, {NAN, NAN}, {NAN, 2}}};
    gate_report report = {.command = "gate", .settings = json_object(), .notes = json_array()};
    assert_int_equal(gate_rows_add(&report.rows, &row, &error), 0);
    char *markdown = written(gate_report_markdown, &report), *junit = written(gate_report_junit, &report);
    assert_non_null(strstr(markdown, "\\<script\\>\\|"));
    assert_null(strstr(markdown, "<script>"));
    assert_non_null(strstr(junit, "&lt;script&gt;|&quot;&amp;'  `x`"));
    assert_non_null(strstr(junit, "tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"1\""));
    assert_null(strchr(junit, 1));
    free(markdown);
    free(junit);
    done_with(&report);
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
    done_with(&report);
}

/* With too few pairs a bound is open: no number, in any form. */
static void test_open_bounds(void **state) {
    (void)state;
    attn_error error = {0};
    gate_row row = {.name = "a/b",
                    .verdict = GATE_UNDECIDED,
                    .unit = "ns",
                    .base = 10,
                    .candidate = 11,
                    .estimate = log(1.1),
                    .low = -INFINITY,
                    .high = INFINITY,
                    .p = 0.5,
                    .noise = INFINITY,
                    .floor = INFINITY,
                    .pairs = 2,
                    .bytes = {{1, 1}, {NAN, NAN}, {1, 1}}};
    gate_report report = {.command = "gate", .settings = json_object(), .notes = json_array()};
    assert_int_equal(gate_rows_add(&report.rows, &row, &error), 0);
    static const char *const open[] = {"low_percent", "high_percent", "noise_percent", "floor_percent"};
    json_t *o = gate_row_json(&report.rows.row[0]);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_true(json_is_null(json_object_get(o, open[i])));
    json_decref(o);
    char *markdown = written(gate_report_markdown, &report), *junit = written(gate_report_junit, &report);
    assert_non_null(strstr(markdown, "| +10.00% | — | — | 2 |"));
    assert_non_null(strstr(junit, "UNDECIDED: +10.00% (2 pairs)"));
    assert_null(strstr(junit, "nan"));
    free(markdown);
    free(junit);
    done_with(&report);
}

/* A full disk or a missing folder leaves nothing behind. */
static void test_files(void **state) {
    (void)state;
    attn_error error = {0};
    gate_report report = report_of(sample(), sample(), NULL);
    char md[] = "md", path[512];
    gate_output output = {.format = md};
    size_t before = scratch_count();
    snprintf(path, sizeof path, "%s", scratch_path("missing/report.json"));
    output.json = path;
    assert_int_equal(gate_report_write(&report, &output, &error), -1);
    assert_int_equal(gate_output_check(&output, &error), -1);
    snprintf(path, sizeof path, "%s", scratch_path("report.json"));
    assert_int_equal(gate_output_check(&output, &error), 0); /* and leaves nothing */
    assert_int_equal(scratch_count(), before);
    done_with(&report);
}

/* Three groups of five: their fastest are 4, 2 and 6 when nothing is disturbed. */
static void test_best_time(void **state) {
    (void)state;
    static const double given[] = {5, 4, 9, 9, 9, 2, 8, 8, 8, 3, 7, 7, 6, 7, 7};
    enum { N = sizeof given / sizeof *given };
    bool disturbed[N] = {false};
    double times[N];
    memcpy(times, given, sizeof times);
    assert_true(fabs(single_best_time(times, disturbed, N) - 4) < 1e-15);
    memcpy(times, given, sizeof times); /* too few for three samples: the median of 14 */
    assert_true(fabs(single_best_time(times, disturbed, 14) - 7) < 1e-15);
    assert_true(isnan(single_best_time(times, disturbed, 0)));
}

/* A program that waits disturbs most of its own repetitions: those that it spared must not stand for it. */
static void test_disturbing_oneself(void **state) {
    (void)state;
    enum { N = 15 };
    bool disturbed[N];
    double times[N];
    for (size_t spared = 1; spared <= N; spared++) {
        for (size_t best = 0; best < 2; best++) {
            for (size_t i = 0; i < N; i++) {
                disturbed[i] = i >= spared;
                times[i] = disturbed[i] ? 50 : 10;
            }
            double time = (best ? single_best_time : single_time)(times, disturbed, N);
            /* best: the median of three samples of five in a row */
            bool seen = best ? spared <= 5 : spared <= 7;
            assert_true(fabs(time - (seen ? 50 : 10)) < 1e-15);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_time),
        cmocka_unit_test(test_disturbing_oneself),
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
        cmocka_unit_test(test_few_cases_have_no_noise),
        cmocka_unit_test(test_undisturbed_count),
        cmocka_unit_test(test_text_that_is_not_utf8),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_open_bounds),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
