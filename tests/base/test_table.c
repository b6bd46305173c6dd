/* Cells of tables: numbers as their columns say, and a zero without a sign. */
#include "base/text/table.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"

static void expect(const json_t *row, const char *key, const char *format, const char *expected) {
    const table_column columns[] = {{key, key, format}, {NULL, NULL, NULL}};
    attn_error error = {0};
    table t;
    table_init(&t, NULL, columns);
    table_add(&t, json_deep_copy(row));
    char *text = table_cell_text(&t, 0, 0, TABLE_MD, &error);
    assert_non_null(text);
    assert_string_equal(text, expected);
    attn_free(text);
    table_free(&t);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero_has_no_sign),
        cmocka_unit_test(test_units_and_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
