#include "base/statistics/disturbed.h"
#include "base/statistics/stats.h"

#include "attn/alloc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double a, double b) {
    assert_true(fabs(a - b) <= 1e-12 + 1e-12 * fabs(b));
}

/* Expected values are numpy's: mean, std(ddof=1), median, percentile. */
static void test_summary(void **state) {
    (void)state;
    const double samples[] = {7, 1, 3, 10, 4, 2};
    attn_error error = {0};
    stats_summary s;
    assert_int_equal(stats_summarize(&s, samples, 6, &error), 0);
    assert_int_equal(s.n, 6);
    assert_near(s.mean, 4.5);
    assert_near(s.sd, 3.391164991562634);
    assert_near(s.cv, 0.7535922203472521);
    assert_near(s.min, 1);
    assert_near(s.max, 10);
    assert_near(s.median, 3.5);
    assert_near(samples[0], 7); /* the caller's samples stay as they were */
}

static void test_few_samples(void **state) {
    (void)state;
    const double one = 5;
    stats_summary s;
    assert_int_equal(stats_summarize(&s, NULL, 0, NULL), 0);
    assert_true(isnan(s.mean) && isnan(s.median) && isnan(s.min));
    assert_int_equal(stats_summarize(&s, &one, 1, NULL), 0);
    assert_near(s.median, 5);
    assert_near(s.mean, 5);
    assert_true(isnan(s.sd) && isnan(s.cv));
    const double zeros[] = {0, 0};
    assert_int_equal(stats_summarize(&s, zeros, 2, NULL), 0);
    assert_near(s.sd, 0);
    assert_true(isnan(s.cv));
}

static void test_nan(void **state) {
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        double samples[] = {1, 2, 3, 4};
        samples[i] = NAN;
        stats_summary s;
        assert_int_equal(stats_summarize(&s, samples, 4, NULL), 0);
        assert_true(isnan(s.mean) && isnan(s.median) && isnan(s.min) && isnan(s.max) && isnan(s.sd));
        stats_sort(samples, 4);
        assert_true(isnan(samples[3]));
        assert_true(isnan(stats_quantile(samples, 4, 0)));
        assert_true(isnan(stats_median_interval(samples, 4, 0.5).low));
    }
}

static void test_quantiles(void **state) {
    (void)state;
    const double sorted[] = {1, 2, 3, 4, 7, 10};
    assert_near(stats_quantile(sorted, 6, 0), 1);
    assert_near(stats_quantile(sorted, 6, 1), 10);
    assert_near(stats_quantile(sorted, 6, 0.25), 2.25);
    assert_near(stats_quantile(sorted, 6, 0.9), 8.5);
    assert_near(stats_quantile(sorted, 6, 0.99), 9.85);
    assert_true(isnan(stats_quantile(sorted, 6, -0.1)));
    assert_true(isnan(stats_quantile(sorted, 6, NAN)));
    const double ends[] = {-INFINITY, 0, INFINITY};
    assert_near(stats_quantile(ends, 3, 0.5), 0);
}

/* By hand: 1 - 2 sum_{i<k} C(n,i) / 2^n. */
static void test_median_interval(void **state) {
    (void)state;
    double sorted[20];
    for (int i = 0; i < 20; i++)
        sorted[i] = i + 1;
    stats_interval five = stats_median_interval(sorted, 5, 0.95);
    assert_true(isnan(five.low) && isnan(five.high) && isnan(five.coverage)); /* 1 - 2/32 is too little */
    stats_interval six = stats_median_interval(sorted, 6, 0.95);
    assert_near(six.low, 1);
    assert_near(six.high, 6);
    assert_near(six.coverage, 1 - 2.0 / 64);
    stats_interval ten = stats_median_interval(sorted, 10, 0.95);
    assert_near(ten.low, 2);
    assert_near(ten.high, 9);
    assert_near(ten.coverage, 1 - 2.0 * 11 / 1024);
    stats_interval twenty = stats_median_interval(sorted, 20, 0.95);
    assert_near(twenty.low, 6);
    assert_near(twenty.high, 15);
    stats_interval half = stats_median_interval(sorted, 2, 0.5);
    assert_near(half.low, 1);
    assert_near(half.coverage, 0.5);
    assert_true(isnan(stats_median_interval(sorted, 20, 1).low));
}

static void test_disturbed(void **state) {
    (void)state;
    assert_near(lost_share(2, 1.5), 0.25);
    assert_near(lost_share(2, 2.1), 0); /* clocks are not read in the same moment */
    assert_true(isnan(lost_share(NAN, NAN)));
    assert_false(is_disturbed(1, 0.991, 0));
    assert_true(is_disturbed(1, 0.989, 0));
    assert_true(is_disturbed(1, 1, 1));
    assert_false(is_disturbed(NAN, 1, 0));
}

static void test_no_memory(void **state) {
    (void)state;
    const double samples[] = {1, 2};
    stats_summary s;
    attn_error error = {0};
    attn_alloc_fail_at(1);
    assert_int_equal(stats_summarize(&s, samples, 2, &error), -1);
    attn_alloc_fail_at(0);
    assert_true(error.message[0]);
    assert_true(isnan(s.mean));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_few_samples),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_median_interval),
        cmocka_unit_test(test_disturbed),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
