/* Reports of the gate in each format: hostile text, missing numbers, files that cannot be written. */
#include "attn/alloc.h"
#include "base/text/json.h"
#include "harness/gate/report/report_output.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/gate_reports.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With this row alone. */
static gate_report report_of(const gate_row *row) {
    attn_error error = {0};
    gate_report report = {.command = "gate", .settings = json_object(), .notes = json_array()};
    assert_int_equal(gate_rows_add(&report.rows, row, &error), 0);
    return report;
}

/* A candidate may print anything: its text is made valid UTF-8. */
static void test_text_that_is_not_utf8(void **state) {
    (void)state;
    gate_row row = {
        .name = "a/b", .verdict = GATE_CANDIDATE_FAILED, .why = "caf\xe9: 3 \xce\xbcs, cut: \xce"};
    gate_report report = report_of(&row);
    assert_string_equal(report.rows.row[0].why, "caf?: 3 \xce\xbcs, cut: ");
    json_t *all = gate_report_json(&report);
    assert_string_equal(json_text(json_array_get(json_object_get(all, "cases"), 0), "why"),
                        report.rows.row[0].why);
    json_decref(all);
    gate_done(&report);
}

/* Names and messages of programs under test must not become markup. */
static void test_hostile_text(void **state) {
    (void)state;
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
    gate_report report = report_of(&row);
    char *markdown = gate_written(gate_report_markdown, &report),
         *junit = gate_written(gate_report_junit, &report);
    assert_non_null(strstr(markdown, "\\<script\\>\\|"));
    assert_null(strstr(markdown, "<script>"));
    assert_non_null(strstr(junit, "&lt;script&gt;|&quot;&amp;'  `x`"));
    assert_non_null(strstr(junit, "tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"1\""));
    assert_null(strchr(junit, 1));
    free(markdown);
    free(junit);
    gate_done(&report);
}

/* With too few pairs a bound is open: it is not printed as a number in any format. */
static void test_open_bounds(void **state) {
    (void)state;
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
    gate_report report = report_of(&row);
    static const char *const open[] = {"low_percent", "high_percent", "noise_percent", "floor_percent"};
    json_t *o = gate_row_json(&report.rows.row[0]);
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_true(json_is_null(json_object_get(o, open[i])));
    json_decref(o);
    char *markdown = gate_written(gate_report_markdown, &report),
         *junit = gate_written(gate_report_junit, &report);
    assert_non_null(strstr(markdown, "| +10.00% | — | — | 2 |"));
    assert_non_null(strstr(junit, "UNDECIDED: +10.00% (2 pairs)"));
    assert_null(strstr(junit, "nan"));
    free(markdown);
    free(junit);
    gate_done(&report);
}

/* A full disk or a missing folder leaves nothing behind. */
static void test_files(void **state) {
    (void)state;
    attn_error error = {0};
    const gate_row row = {.name = "a/b", .verdict = GATE_SAME, .unit = "ns", .base = 10, .candidate = 10};
    gate_report report = report_of(&row);
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
    gate_done(&report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_that_is_not_utf8),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_open_bounds),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
