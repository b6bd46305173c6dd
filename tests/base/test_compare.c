/* The comparison that every check goes through. */
#include "attn/compare.h"
#include "tests/support/cmocka_all.h"

#include <math.h>

enum { COUNT = 4 };

/* Whether `found` passes for `expected` as number `at` of numbers that are equal otherwise. */
static bool passes(float found, float expected, size_t at, double atol, double rtol) {
    float a[COUNT] = {1, -2, 3, 4}, b[COUNT] = {1, -2, 3, 4};
    a[at] = found;
    b[at] = expected;
    attn_difference d = attn_compare(a, b, COUNT, atol, rtol);
    assert_int_equal(d.first_bad, d.ok ? COUNT : at);
    return d.ok;
}

static void test_tolerances(void **state) {
    (void)state;
    for (size_t at = 0; at < COUNT; at++) {
        assert_true(passes(8.5f, 8, at, 0.5, 0));
        assert_false(passes(8.5f, 8, at, 0.25, 0));
        assert_true(passes(-8.5f, -8, at, 0, 0.0625));
        assert_false(passes(-8.5f, -8, at, 0, 0.03125));
        assert_true(passes(8.5f, 8, at, 0.25, 0.03125));
        assert_true(passes(8, 8, at, 0, 0));
    }
}

/* However wide the tolerance is. */
static void test_what_is_not_finite(void **state) {
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    static const double wide[] = {1e30, INFINITY};
    for (size_t at = 0; at < COUNT; at++)
        for (size_t i = 0; i < 3; i++)
            for (size_t w = 0; w < 2; w++) {
                assert_false(passes(bad[i], 8, at, wide[w], wide[w]));
                assert_false(passes(8, bad[i], at, wide[w], wide[w]));
                assert_false(passes(bad[i], bad[i], at, wide[w], wide[w]));
                assert_false(passes(bad[i], -bad[i], at, wide[w], wide[w]));
            }
}

static void test_what_it_reports(void **state) {
    (void)state;
    const float a[COUNT] = {1, 2, 3, 4}, b[COUNT] = {1, 2.5f, -3, 4}, unknown[COUNT] = {1, NAN, -9, 4};
    attn_difference d = attn_compare(a, b, COUNT, 0, 0);
    assert_false(d.ok);
    assert_int_equal(d.first_bad, 1);
    assert_true(d.max_abs == 6 && d.max_b == 4);
    d = attn_compare(a, unknown, COUNT, 0, 0);
    assert_int_equal(d.first_bad, 1);
    assert_true(isnan(d.max_abs) && d.max_b == 9);
    d = attn_compare(a, b, 0, 0, 0);
    assert_true(d.ok && d.max_abs == 0 && d.max_b == 0 && d.first_bad == 0);
}

static void test_first_that_is_not_finite(void **state) {
    (void)state;
    const float x[COUNT] = {1, -2, INFINITY, NAN};
    assert_int_equal(attn_first_nonfinite(x, 2), 2);
    assert_int_equal(attn_first_nonfinite(x, COUNT), 2);
    assert_int_equal(attn_first_nonfinite(x + 3, 1), 0);
    assert_int_equal(attn_first_nonfinite(x, 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tolerances), cmocka_unit_test(test_what_is_not_finite),
        cmocka_unit_test(test_what_it_reports), cmocka_unit_test(test_first_that_is_not_finite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
