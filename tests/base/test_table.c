/* Cells of tables: numbers as their columns say, and a zero without a sign. Tables in LaTeX fit their page. */
#include "base/text/table_write.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_in(const json_t *row, const char *key, const char *format, table_format of,
                      const char *expected) {
    const table_column columns[] = {{key, key, format}, {NULL, NULL, NULL}};
    attn_error error = {0};
    text_table t;
    table_init(&t, NULL, columns);
    table_add(&t, json_deep_copy(row));
    char *text = table_cell_text(&t, 0, 0, of, &error);
    assert_non_null(text);
    assert_string_equal(text, expected);
    attn_free(text);
    table_free(&t);
}

static void expect(const json_t *row, const char *key, const char *format, const char *expected) {
    expect_in(row, key, format, TABLE_MD, expected);
}

static void test_zero_has_no_sign(void **state) {
    (void)state;
    json_t *row = json_pack("{s:f, s:f, s:f, s:f, s:s}", "none", -0.001, "up", 0.001, "down", -1.25, "up10",
                            10.0, "text", "-0.00");
    expect(row, "none", "%.2f", "0.00");
    expect(row, "none", "%+.2f", "0.00");
    expect(row, "up", "%+.2f", "0.00");
    expect(row, "down", "%+.2f", "-1.25");
    expect(row, "up10", "%+.0f", "+10");
    expect(row, "text", "%.2f", "-0.00");
    json_decref(row);
}

static void test_units_and_gaps(void **state) {
    (void)state;
    json_t *row = json_pack("{s:i, s:n}", "bytes", 3 << 19, "gap");
    expect(row, "bytes", table_mib, "1.5");
    expect(row, "gap", "%.2f", "\u2014");
    expect(row, "missing", "%.2f", "\u2014");
    json_decref(row);
}

static text_table make_wide(const table_column *columns, size_t rows, const char *verdict) {
    text_table t;
    table_init(&t, "wide", columns);
    for (size_t i = 0; i < rows; i++)
        table_add(&t, json_pack("{s:s, s:s, s:f, s:f, s:s}", "model", "conformer-of-twelve-layers", "verdict",
                                verdict, "page_faults_minor", 12345678.0 + (double)i, "p", 0.25 * (double)i,
                                "case", "attention/mha/decode/L:128/q:1/h:8/d:512"));
    return t;
}

static void expect_tex(const text_table *t, const char *const *there, const char *const *absent) {
    attn_error error = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(table_write(t, TABLE_TEX, stream, &error), 0);
    fclose(stream);
    for (; *there; there++)
        if (!strstr(text, *there))
            fail_msg("no %s in:\n%s", *there, text);
    for (; *absent; absent++)
        if (strstr(text, *absent))
            fail_msg("%s in:\n%s", *absent, text);
    free(text);
}

/* What TeX shows as another sign is written by name. */
static void test_tex_signs(void **state) {
    (void)state;
    json_t *row = json_pack("{s:s}", "text", "a < b > c | d_e");
    expect_in(row, "text", NULL, TABLE_TEX, "a \\textless{} b \\textgreater{} c \\textbar{} d\\_e");
    json_decref(row);
}

/* Headers break at underscores, and a table that fits keeps its constant columns and stands upright. */
static void test_tex_that_fits(void **state) {
    (void)state;
    static const table_column columns[] = {
        {"model", "model", NULL}, {"page_faults_minor", "page_faults_minor", NULL}, {"p", "p", "%.2f"}, {0}};
    static const char *const there[] = {"page\\_\\\\faults\\_\\\\minor", "conformer-of-twelve-layers & ",
                                        "\\begin{tabular}{lrr}", NULL},
                             *const absent[] = {"landscape", "longtable", "In every row", NULL};
    text_table t = make_wide(columns, 5, "good");
    expect_tex(&t, there, absent);
    table_free(&t);
}

/* Columns that say the same in every row go below the table before it is turned. */
static void test_tex_without_constant_columns(void **state) {
    (void)state;
    static const table_column columns[] = {{"model", "model", NULL},
                                           {"case", "case", NULL},
                                           {"gap", "gap", NULL},
                                           {"page_faults_minor", "first", "%.25f"},
                                           {"page_faults_minor", "second", "%.25f"},
                                           {"page_faults_minor", "third", "%.12f"},
                                           {0}};
    static const char *const there[] = {"In every row: model conformer-of-twelve-layers; case "
                                        "attention/mha/decode/L:128/q:1/h:8/d:512.",
                                        "{rrr}", NULL},
                             *const absent[] = {"landscape", "gap", NULL};
    text_table t = make_wide(columns, 5, "good");
    expect_tex(&t, there, absent);
    table_free(&t);
}

static void test_tex_in_landscape(void **state) {
    (void)state;
    static const table_column columns[] = {{"page_faults_minor", "first", "%.35f"},
                                           {"page_faults_minor", "second", "%.35f"},
                                           {"page_faults_minor", "third", "%.35f"},
                                           {0}};
    static const char *const there[] = {"% needs \\usepackage{pdflscape}",
                                        "% needs \\usepackage{longtable}",
                                        "\\begin{landscape}",
                                        "\\end{longtable}",
                                        "\\end{landscape}",
                                        NULL},
                             *const absent[] = {"In every row", NULL};
    text_table t = make_wide(columns, 60, "good");
    expect_tex(&t, there, absent);
    table_free(&t);
}

/* Few rows of much text are as long as many rows. */
static void test_tex_lines_count(void **state) {
    (void)state;
    static const table_column columns[] = {{"verdict", "verdict", NULL}, {"p", "p", NULL}, {0}};
    char verdict[2000] = "";
    for (size_t i = 0; i < 180; i++)
        strcat(verdict, "ten words ");
    static const char *const there[] = {"\\begin{longtable}{p{", NULL}, *const absent[] = {"landscape", NULL};
    text_table t = make_wide(columns, 8, verdict);
    expect_tex(&t, there, absent);
    table_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero_has_no_sign),
        cmocka_unit_test(test_units_and_gaps),
        cmocka_unit_test(test_tex_signs),
        cmocka_unit_test(test_tex_that_fits),
        cmocka_unit_test(test_tex_without_constant_columns),
        cmocka_unit_test(test_tex_in_landscape),
        cmocka_unit_test(test_tex_lines_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
