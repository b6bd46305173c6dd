/* Intervals of rates against published values, and thresholds from made-up counts. */
#include "tests/support/cmocka_all.h"

#include "base/statistics/rates.h"

#include <math.h>

static void assert_near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("found %.17g, expected %.17g", found, expected);
}

static void test_clopper_pearson(void **state) {
    (void)state;
    static const struct {
        size_t k, n;
        double low, high;
    } known[] = {{0, 100, 0, 0.036217},   {1, 100, 0.000253, 0.054459}, {95, 100, 0.887165, 0.983571},
                 {100, 100, 0.963783, 1}, {10, 20, 0.271957, 0.728043}, {0, 0, 0, 1},
                 {20, 20, 0.831567, 1}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        rate_interval r = rate_of(known[i].k, known[i].n);
        assert_near(r.low, known[i].low, 1e-5);
        assert_near(r.high, known[i].high, 1e-5);
    }
}

static void test_threshold(void **state) {
    (void)state;
    /* A step between 2 and 3 percent. */
    static const rate_level step[] = {{2, 0, 50}, {3, 50, 50}, {5, 50, 50}};
    rate_threshold t = rate_threshold_of(step, 3);
    assert_true(t.percent > 2 && t.percent < 3.2);
    assert_true(t.low >= 2 && t.low < t.percent && t.high > t.percent && t.high < 3.5);
    /* A slope: 95% is found of about 5. */
    static const rate_level slope[] = {{2, 10, 100}, {3, 50, 100}, {4, 80, 100}, {5, 95, 100}, {7, 100, 100}};
    t = rate_threshold_of(slope, 5);
    assert_true(t.low > 4.2 && t.low < t.percent && t.percent < t.high && t.high < 6.2);
    assert_near(t.percent, 5, 0.4);
    /* More runs make the interval narrower. */
    static const rate_level few[] = {{2, 1, 10}, {3, 5, 10}, {4, 8, 10}, {5, 9, 10}, {7, 10, 10}};
    rate_threshold wide = rate_threshold_of(few, 5);
    assert_true(wide.high - wide.low > 2 * (t.high - t.low));
    /* All found, or none: open on a side. */
    static const rate_level all[] = {{3, 20, 20}}, none[] = {{3, 0, 20}};
    t = rate_threshold_of(all, 1);
    assert_true(isnan(t.percent) && isnan(t.low) && t.high > 1);
    t = rate_threshold_of(none, 1);
    assert_true(isnan(t.percent) && isnan(t.high) && t.low > 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clopper_pearson),
                                       cmocka_unit_test(test_threshold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
