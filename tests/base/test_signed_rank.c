/* The signed-rank test and its intervals, against chances counted by hand and by enumeration. */
#include "base/statistics/signed_rank.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdbool.h>

static double p_of(const double *x, size_t n) {
    double p = -1;
    attn_error error = {0};
    assert_int_equal(signed_rank_p(&p, x, n, &error), 0);
    return p;
}

static void assert_near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("found %.17g, expected %.17g", found, expected);
}

static void test_known_chances(void **state) {
    (void)state;
    static const double up[] = {1, 2, 3, 4, 5}, down[] = {-1, -2, -3, -4, -5}, mixed[] = {-1, 2, 3, 4, 5};
    assert_near(p_of(up, 5), 1 / 32.0, 1e-15);
    assert_near(p_of(down, 5), 1, 1e-15);
    assert_near(p_of(mixed, 5), 2 / 32.0, 1e-15); /* sums 14 and 15 */
    static const double zeros[] = {0, 0, 0}, with_zeros[] = {0, 1, 0, 2};
    assert_near(p_of(zeros, 3), 1, 0);
    assert_near(p_of(with_zeros, 4), 0.25, 1e-15);
    assert_near(p_of(zeros, 0), 1, 0);
    static const double unknown[] = {1, NAN};
    assert_true(isnan(p_of(unknown, 2)));
}

/* Every choice of signs is as likely as another: count those with as large a sum of ranks. */
static double enumerate(const double *x, size_t n) {
    double ranks[12], observed = 0;
    for (size_t i = 0; i < n; i++) {
        double below = 0, alike = 0;
        for (size_t j = 0; j < n; j++) {
            below += fabs(x[j]) < fabs(x[i]);
            alike += fabs(x[j]) <= fabs(x[i]) && fabs(x[j]) >= fabs(x[i]);
        }
        ranks[i] = below + (alike + 1) / 2;
        observed += x[i] > 0 ? ranks[i] : 0;
    }
    size_t as_large = 0;
    for (unsigned signs = 0; signs < 1u << n; signs++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += signs >> i & 1 ? ranks[i] : 0;
        as_large += sum >= observed;
    }
    return (double)as_large / (double)(1u << n);
}

static void test_enumeration_with_ties(void **state) {
    (void)state;
    uint64_t random = 7;
    for (int round = 0; round < 50; round++) {
        double x[12];
        size_t n = 3 + attn_random_below(&random, 9);
        for (size_t i = 0; i < n; i++) {
            x[i] = 1 + (double)attn_random_below(&random, 5);
            x[i] = attn_random_below(&random, 2) ? x[i] : -x[i];
        }
        assert_near(p_of(x, n), enumerate(x, n), 1e-12);
    }
}

/* Beyond the limit of the exact method, against the exact chance of untied ranks. */
static void test_approximation(void **state) {
    (void)state;
    enum { N = SIGNED_RANK_EXACT + 1, TOP = N * (N + 1) / 2 };
    static double ways[TOP + 1];
    double x[N];
    ways[0] = 1;
    for (size_t rank = 1; rank <= N; rank++)
        for (size_t sum = TOP; sum >= rank; sum--)
            ways[sum] += ways[sum - rank];
    for (size_t negatives = 20; negatives <= 60; negatives += 5) {
        size_t sum = 0;
        double exact = 0;
        for (size_t i = 0; i < N; i++) {
            bool negative = i * negatives / N != (i + 1) * negatives / N;
            x[i] = (double)(i + 1) * (negative ? -1 : 1);
            sum += negative ? 0 : i + 1;
        }
        for (size_t above = sum; above <= TOP; above++)
            exact += ldexp(ways[above], -N);
        if (exact > 1e-2)
            assert_near(p_of(x, N) / exact, 1, 0.02);
        else
            assert_true(p_of(x, N) >= exact); /* in the tail it errs on the safe side */
    }
}

static void test_interval(void **state) {
    (void)state;
    static const double x[] = {1.1, 2.2, 3.3, 4.4, 5.5, 6.6};
    walsh w;
    attn_error error = {0};
    assert_int_equal(walsh_make(&w, x, 6, &error), 0);
    assert_near(walsh_centre(&w), 3.85, 1e-12);
    /* 1/64 of all sums are 0, 2/64 are at most 1. */
    assert_near(walsh_low(&w, 0.02), 1.1, 1e-12);
    assert_near(walsh_high(&w, 0.02), 6.6, 1e-12);
    assert_near(walsh_low(&w, 2 / 64.0), (1.1 + 2.2) / 2, 1e-12);
    assert_true(isinf(walsh_low(&w, 0.01)) && walsh_low(&w, 0.01) < 0);
    assert_true(isinf(walsh_high(&w, 0.01)) && walsh_high(&w, 0.01) > 0);
    walsh_free(&w);
    static const double unknown[] = {1, NAN};
    assert_int_equal(walsh_make(&w, unknown, 2, &error), -1);
    walsh_free(&w);
    assert_int_equal(attn_alloc_live(), 0);
}

/* A bound lies beyond 0 exactly when the test says so: at every size, exact or not. */
static void test_interval_is_the_test(void **state) {
    (void)state;
    uint64_t random = 11;
    static const double tails[] = {0.05, 0.01, 0.001};
    for (size_t n = 8; n <= 170; n += 54)
        for (int round = 0; round < 200; round++) {
            double x[170], p;
            for (size_t i = 0; i < n; i++)
                x[i] = (double)attn_random_below(&random, 1000003) / 1000003 - 0.44;
            walsh w;
            attn_error error = {0};
            assert_int_equal(walsh_make(&w, x, n, &error), 0);
            p = p_of(x, n);
            for (size_t t = 0; t < 3; t++)
                assert_int_equal(walsh_low(&w, tails[t]) > 0, p <= tails[t]);
            walsh_free(&w);
        }
}

static void test_refused_memory(void **state) {
    (void)state;
    static const double x[] = {1, 2, 3};
    double p;
    walsh w;
    attn_error error = {0};
    attn_alloc_fail_at(1);
    assert_int_equal(signed_rank_p(&p, x, 3, &error), -1);
    attn_alloc_fail_at(1);
    assert_int_equal(walsh_make(&w, x, 3, &error), -1);
    assert_int_equal(attn_alloc_live(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_chances),        cmocka_unit_test(test_enumeration_with_ties),
        cmocka_unit_test(test_approximation),        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_interval_is_the_test), cmocka_unit_test(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
