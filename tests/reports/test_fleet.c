/* Machines side by side: the sample's results, and the same with another CPU's name on them, made for this test, whose
 * times are half. */
#include "reports/fleet/compared.h"
#include "reports/fleet/fleet_report.h"
#include "reports/fleet/fleet_tables.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char sample[] = "tests/data/results_sample.json", made_up[] = "Made up for a test",
                  whole_name[] = "Made(R) up CPU for a test @ 3.00GHz";
static char folder[64], other[96];

static void halve_times(json_t *root) {
    static const char *const times[] = {"real_time", "cpu_time"};
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(root, "benchmarks"), i, entry) {
        for (size_t k = 0; k < 2; k++)
            json_object_set_new(entry, times[k], json_real(json_number(entry, times[k]) / 2));
        json_object_set_new(entry, "disturbed", json_true());
    }
}

static int make_other(void **state) {
    (void)state;
    strcpy(folder, "/tmp/attnbench-fleet-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(other, sizeof other, "%s/other.json", folder);
    json_t *root = json_load_file(sample, 0, NULL), *context = json_object_get(root, "context"),
           *own = json_object_get(context, "attnbench");
    json_object_set_new(context, "host_name", json_string("elsewhere"));
    json_object_set_new(json_object_get(own, "machine"), "cpu", json_string(whole_name));
    json_object_set_new(own, "fingerprint", json_string("fnv1a:made-up"));
    halve_times(root);
    int result = json_dump_file(root, other, 0);
    json_decref(root);
    return result;
}

static int clean_up(void **state) {
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static fleet *read_both(void) {
    const char *const files[] = {sample, other, NULL};
    attn_error error = {0};
    fleet *f = attn_alloc(1, sizeof *f, "fleet", &error);
    if (!f || fleet_read(f, files, &error) || fleet_choose_base(f, NULL, &error))
        fail_msg("%s", error.message);
    return f;
}

static void drop(fleet *f) {
    fleet_free(f);
    attn_free(f);
}

static void test_ratios(void **state) {
    (void)state;
    fleet *f = read_both();
    size_t common;
    assert_int_equal(f->count, 2);
    assert_string_equal(f->machine[1].name, made_up);
    double speed = fleet_speed(&common, f, 1, NULL, FLEET_TIME);
    assert_true(fabs(speed - 2) < 1e-9);
    assert_int_equal(common, f->cases);
    assert_true(fabs(fleet_speed(&common, f, 0, NULL, FLEET_TIME) - 1) < 1e-9);
    char group[96];
    fleet_group(group, sizeof group, f->list[0].of[0]->c);
    assert_true(fabs(fleet_speed(&common, f, 1, group, FLEET_TIME) - 2) < 1e-9);
    assert_in_range(common, 1, f->cases - 1);
    assert_true(isnan(fleet_speed(&common, f, 1, "attention none", FLEET_TIME)));
    assert_int_equal(common, 0);
    drop(f);
}

/* Names leave the clock out, so that CPUs which only it sets apart are named with their hosts. */
static void test_names_differ(void **state) {
    (void)state;
    char third[96];
    attn_error error = {0};
    snprintf(third, sizeof third, "%s/third.json", folder);
    json_t *root = json_load_file(other, 0, NULL), *context = json_object_get(root, "context"),
           *own = json_object_get(context, "attnbench");
    json_object_set_new(context, "host_name", json_string("here"));
    json_object_set_new(json_object_get(own, "machine"), "cpu",
                        json_string("Made(R) up CPU for a test @ 2.00GHz"));
    json_object_set_new(own, "fingerprint", json_string("fnv1a:third"));
    assert_int_equal(json_dump_file(root, third, 0), 0);
    json_decref(root);
    const char *const files[] = {other, third, NULL};
    fleet *f = attn_alloc(1, sizeof *f, "fleet", &error);
    if (!f || fleet_read(f, files, &error))
        fail_msg("%s", error.message);
    assert_string_equal(f->machine[0].name, "Made up for a test on elsewhere");
    assert_string_equal(f->machine[1].name, "Made up for a test on here");
    drop(f);
}

/* What `attnbench machine --out` would leave: its clock in GHz. */
static void write_clock(char path[96], const char *of, double ghz) {
    json_t *root = json_load_file(of, 0, NULL), *entries = json_array();
    const char *isa = json_string_value(json_at(root, "context.attnbench.machine.isa"));
    json_array_append_new(entries, json_pack("{ss ss ss si sf sf sf ss s{ss ss ss}}", "name", "machine/clock",
                                             "run_name", "machine/clock", "run_type", "iteration",
                                             "iterations", 1, "real_time", 1000 / ghz, "cpu_time", 1000 / ghz,
                                             "steps", 1000.0, "time_unit", "ns", "case", "kind", "machine",
                                             "what", "clock", "isa", isa));
    json_object_set_new(root, "benchmarks", entries);
    assert_int_equal(json_dump_file(root, path, 0), 0);
    json_decref(root);
}

/* Rows whose column says so. */
static const json_t *row_of(const report_table *t, const char *key, const char *value) {
    size_t i;
    const json_t *row;
    json_array_foreach(t->t.rows, i, row) {
        if (!strcmp(json_text(row, key), value))
            return row;
    }
    fail_msg("no row with %s %s", key, value);
    return NULL;
}

/* What several cores reach together is another limit than what one does. */
static void assert_several_cores_apart(const fleet *f) {
    report_table t;
    char one[64], all[80];
    table_fleet_limits(&t, f);
    snprintf(one, sizeof one, "flops %s", results_text(&f->machine[0].results, "machine.isa", ""));
    snprintf(all, sizeof all, "%s, all cores", one);
    assert_true(json_number(row_of(&t, "limit", all), "m1") >
                1.5 * json_number(row_of(&t, "limit", one), "m1"));
    report_table_free(&t);
}

static void test_clock(void **state) {
    (void)state;
    char first[96], second[96];
    snprintf(first, sizeof first, "%s/clock-1.json", folder);
    snprintf(second, sizeof second, "%s/clock-2.json", folder);
    write_clock(first, sample, 4);
    write_clock(second, other, 2);
    const char *const files[] = {sample, other, first, second, NULL};
    attn_error error = {0};
    size_t common;
    fleet *f = attn_alloc(1, sizeof *f, "fleet", &error);
    if (!f || fleet_read(f, files, &error))
        fail_msg("%s", error.message);
    assert_int_equal(f->count, 2);
    assert_true(fabs(fleet_clock(&f->machine[0]) - 4) < 1e-9);
    assert_true(fabs(fleet_clock(&f->machine[1]) - 2) < 1e-9);
    assert_true(fabs(fleet_speed(&common, f, 1, NULL, FLEET_BY_CLOCK) - 4) < 1e-9);
    assert_several_cores_apart(f);
    drop(f);
}

static void test_base(void **state) {
    (void)state;
    fleet *f = read_both();
    static const char *const names[] = {"Made up for a test", "elsewhere", "Made"};
    attn_error error = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(fleet_choose_base(f, names[i], &error), 0);
        assert_int_equal(f->base, 1);
    }
    assert_int_equal(fleet_choose_base(f, sample, &error), 0);
    assert_int_equal(f->base, 0);
    assert_int_equal(fleet_choose_base(f, "no such CPU", &error), -1);
    assert_non_null(strstr(error.message, "--base no such CPU: no such machine, expected one of"));
    error = (attn_error){0};
    assert_int_equal(fleet_choose_base(f, "a", &error), -1); /* part of both */
    assert_non_null(strstr(error.message, "more than one machine"));
    drop(f);
}

static void test_tables(void **state) {
    (void)state;
    fleet *f = read_both();
    report_table t;
    table_fleet_machines(&t, f);
    assert_true(json_number(row_of(&t, "machine", made_up), "disturbed") > 0);
    assert_true(json_number(row_of(&t, "machine", made_up), "disturbed") ==
                json_number(row_of(&t, "machine", made_up), "samples"));
    assert_string_equal(json_text(row_of(&t, "host", "elsewhere"), "is_base"), "");
    report_table_free(&t);
    table_fleet_limits(&t, f);
    assert_true(json_number(row_of(&t, "limit", "sgemm"), "m2_of_base") == 2);
    double base = json_number(row_of(&t, "limit", "sgemm"), "m1"); /* rounded for people */
    assert_true(fabs(json_number(row_of(&t, "limit", "sgemm"), "m2") - 2 * base) < 1e-3 * base);
    report_table_free(&t);
    table_fleet_cases(&t, f);
    assert_int_equal(json_array_size(t.t.rows), f->cases);
    assert_true(json_number(json_array_get(t.t.rows, 0), "m2_of_base") == 2);
    report_table_free(&t);
    table_fleet_speed(&t, f);
    assert_true(json_number(row_of(&t, "group", "all"), "m2_of_base") == 2);
    report_table_free(&t);
    drop(f);
}

static bool has_text(const char *file, const char *text) {
    char path[160];
    attn_error error = {0};
    snprintf(path, sizeof path, "%s/out/%s", folder, file);
    char *page = attn_read_file(path, 1 << 24, NULL, &error);
    bool found = page && strstr(page, text);
    attn_free(page);
    return found;
}

/* Without gnuplot, which draws what other tests look at. */
static void test_pages(void **state) {
    (void)state;
    const char *const files[] = {sample, other, NULL};
    char out[96];
    attn_error error = {0};
    drawing pictures = {0};
    snprintf(out, sizeof out, "%s/out", folder);
    const report_request request = {.out = out};
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    setenv("ATTNBENCH_HOME", ".", 1);
    int result = fleet_report_make(files, "elsewhere", &request, &pictures, &error);
    setenv("PATH", path, 1);
    free(path);
    if (result)
        fail_msg("%s", error.message);
    assert_true(has_text("index.html", "Ratios are to <b>Made up for a test</b>"));
    assert_true(has_text("index.html", "Made up for a test was disturbed"));
    assert_true(has_text("machine-2/index.html", whole_name));
    assert_false(has_text("machine-1/index.html", made_up));
    assert_true(has_text("tables/fleet_cases.csv", "m1_of_base"));
    assert_true(has_text("plots/fleet_speed.gp", "fleet_speed.dat"));
    const report_request more = {.out = out, .paper = "paper.json"};
    assert_int_equal(fleet_report_make(files, NULL, &more, &pictures, &error), -1);
    assert_non_null(strstr(error.message, "--paper: goes with the results of one machine"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ratios), cmocka_unit_test(test_names_differ),
                                       cmocka_unit_test(test_base),   cmocka_unit_test(test_clock),
                                       cmocka_unit_test(test_tables), cmocka_unit_test(test_pages)};
    return cmocka_run_group_tests(tests, make_other, clean_up);
}
