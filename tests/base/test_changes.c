/* Change points: the t-test against published values, and series with known steps. */
#include "tests/support/cmocka_all.h"
#include "tests/support/refusals.h"

#include "base/statistics/changes.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <math.h>

enum { N = 120 };

static void assert_near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("found %.17g, expected %.17g", found, expected);
}

static void test_t_test(void **state) {
    (void)state;
    /* t = -1.959, 10 degrees of freedom (R: t.test(x, y, var.equal = TRUE)) */
    static const double x[] = {30.02, 29.99, 30.11, 29.97, 30.01, 29.99},
                        y[] = {29.89, 29.93, 29.72, 29.98, 30.02, 29.98};
    assert_near(t_test(x, 6, y, 6), 0.07857, 1e-4);
    static const double same[] = {1, 1, 1}, other[] = {2, 2, 2};
    assert_near(t_test(same, 3, same, 3), 1, 0);
    assert_near(t_test(same, 3, other, 3), 0, 0);
    assert_near(t_test(same, 1, other, 1), 1, 0);
    assert_near(t_test(same, 0, other, 3), 1, 0);
    /* t = sqrt(2)... of 1 degree of freedom is Cauchy's: x = {0, 2}, y = {5} */
    static const double two[] = {0, 2}, one[] = {5};
    double t = 4 / sqrt(2 * 1.5);
    assert_near(t_test(two, 2, one, 1), 1 - 2 / acos(-1) * atan(t), 1e-12);
}

static void make(double *x, const size_t *steps, size_t count, double step, double noise, uint64_t seed) {
    double level = 100;
    for (size_t i = 0; i < N; i++) {
        for (size_t s = 0; s < count; s++)
            if (steps[s] == i)
                level *= s % 2 ? 1 / (1 + step) : 1 + step;
        double sum = 0; /* near enough to normal */
        for (int k = 0; k < 12; k++)
            sum += (double)attn_random_below(&seed, 10001) / 10000;
        x[i] = level * (1 + noise * (sum - 6));
    }
}

static int changes(change_point *points, const double *x, size_t n) {
    attn_error error = {0};
    int count = find_changes(points, x, n, 0.001, 0.01, &error);
    assert_int_equal(attn_alloc_live(), 0);
    return count;
}

static void test_steps(void **state) {
    (void)state;
    static const size_t steps[] = {40, 70, 100};
    double x[N];
    change_point points[N];
    int exact = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        make(x, steps, 3, 0.05, 0.01, seed);
        int count = changes(points, x, N), found = 0;
        for (int i = 0; i < count; i++)
            for (size_t k = 0; k < 3; k++)
                found += points[i].index + 2 >= steps[k] && points[i].index <= steps[k] + 2;
        assert_int_equal(found, 3);
        exact += count == 3;
        for (int i = 0; i < 3 && count == 3; i++) {
            assert_true(points[i].p <= 0.001);
            assert_near(points[i].after / points[i].before, i % 2 ? 1 / 1.05 : 1.05, 0.015);
        }
    }
    assert_true(exact >= 18); /* no test makes a search for the best split free of error */
}

static void test_noise_alone(void **state) {
    (void)state;
    double x[N];
    change_point points[N];
    int found = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        make(x, NULL, 0, 0, 0.02, seed);
        found += changes(points, x, N) > 0;
    }
    if (found > 3)
        fail_msg("%d of 40 series without a step had a change", found);
}

static void test_small_and_short(void **state) {
    (void)state;
    static const size_t at[] = {60};
    double x[N];
    change_point points[N];
    make(x, at, 1, 0.005, 0.0005, 3); /* plain, but smaller than 1% */
    assert_int_equal(changes(points, x, N), 0);
    make(x, at, 1, 0.02, 0.0005, 3);
    assert_int_equal(changes(points, x, N), 1);
    assert_int_equal(points[0].index, 60);
    static const double flat[] = {5, 5, 5, 5, 9, 9, 9};
    assert_int_equal(changes(points, flat, 7), 1);
    assert_int_equal(points[0].index, 4);
    for (size_t n = 0; n < 4; n++)
        assert_int_equal(changes(points, flat, n), 0);
    static const double bad_day[] = {5, 5.01, 4.99, 5, 5.01, 7, 5, 4.99, 5, 5.01};
    assert_int_equal(changes(points, bad_day, 10), 0);
}

static int find_once(void *context, attn_error *error) {
    static const double fine[] = {1, 1, 1};
    return find_changes(context, fine, 3, 0.001, 0.01, error) < 0 ? -1 : 0;
}

static void test_impossible_values(void **state) {
    (void)state;
    static const double zero[] = {1, 0, 1}, unknown[] = {1, NAN, 1}, endless[] = {1, INFINITY, 1};
    change_point points[3];
    assert_int_equal(changes(points, zero, 3), -1);
    assert_int_equal(changes(points, unknown, 3), -1);
    assert_int_equal(changes(points, endless, 3), -1);
    assert_int_equal(refuse_each_allocation(find_once, points), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t_test),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_noise_alone),
        cmocka_unit_test(test_small_and_short),
        cmocka_unit_test(test_impossible_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
