/* The paired bootstrap, against what can be known beforehand. */
#include "base/statistics/paired.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include "tests/support/cmocka_all.h"

#include <math.h>

enum { ITEMS = 400 };

static paired_change change_of(const double *a, const double *b, const double *weight, size_t n,
                               uint64_t seed) {
    paired_change c;
    attn_error error = {0};
    assert_int_equal(paired_bootstrap(&c, a, b, weight, n, seed, &error), 0);
    assert_int_equal(attn_alloc_live(), 0);
    return c;
}

static void test_no_difference(void **state) {
    (void)state;
    static const double a[] = {1, 2, 3}, weight[] = {1, 1, 1};
    paired_change c = change_of(a, a, weight, 3, 1);
    assert_true(c.difference == 0 && c.low == 0 && c.high == 0 && c.p == 1);
}

static void test_always_above(void **state) {
    (void)state;
    static const double a[] = {0, 1, 5, 2}, b[] = {1, 2, 6, 3}, weight[] = {4, 4, 4, 4};
    paired_change c = change_of(a, b, weight, 4, 1);
    assert_true(c.difference == 0.25 && c.low == 0.25 && c.high == 0.25);
    assert_true(c.p < 0.0011 && c.p > 0);
}

/* Of pairs that differ by chance only, about one in twenty is found below 0.05, and the interval of a mean is that of
 * the normal distribution. */
static void test_coverage(void **state) {
    (void)state;
    static double a[ITEMS], b[ITEMS], weight[ITEMS];
    uint64_t random = 5;
    size_t found = 0, tries = 60;
    for (size_t t = 0; t < tries; t++) {
        for (size_t i = 0; i < ITEMS; i++) {
            a[i] = (double)attn_random_below(&random, 1000);
            b[i] = (double)attn_random_below(&random, 1000);
            weight[i] = 1;
        }
        paired_change c = change_of(a, b, weight, ITEMS, t);
        found += c.p < 0.05;
        double sd = sqrt(2.0 * (1000.0 * 1000.0 - 1) / 12 / ITEMS);
        assert_true(fabs((c.high - c.low) / (2 * 1.96 * sd) - 1) < 0.2);
    }
    print_message("%zu of %zu below 0.05\n", found, tries);
    assert_true(found <= 9);
}

static void test_bad_numbers(void **state) {
    (void)state;
    static const double a[] = {1, NAN}, b[] = {1, 2}, weight[] = {1, 1}, none[] = {0, 0};
    paired_change c = change_of(a, b, weight, 2, 1);
    assert_true(isnan(c.difference) && isnan(c.low) && isnan(c.p));
    c = change_of(b, b, none, 2, 1);
    assert_true(isnan(c.difference) && isnan(c.p));
    c = change_of(b, b, weight, 0, 1);
    assert_true(isnan(c.difference) && isnan(c.p));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_difference),
                                       cmocka_unit_test(test_always_above), cmocka_unit_test(test_coverage),
                                       cmocka_unit_test(test_bad_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
