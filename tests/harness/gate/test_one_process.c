/* One process for each side: the time taken from its repetitions, and the verdicts that it allows. */
#include "harness/gate/decide/one_process.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

static const gate_rule rule = {GATE_ALPHA, GATE_BETA, 0.019802627296179712}; /* log 1.02 */

static void test_few_cases_have_no_noise(void **state) {
    (void)state;
    double differences[SINGLE_LEAST] = {0.01, -0.01, 0.02, -0.02, 0.03, -0.03, 0.005, 0.5};
    assert_true(isnan(single_scale(differences, SINGLE_LEAST - 1)));
    double scale = single_scale(differences, SINGLE_LEAST);
    assert_true(scale > 0.02 && scale < 0.04);
    gate_finding f = single_judge(0.5, single_noise_of(NAN, 3, &rule), &rule);
    assert_int_equal(f.verdict, GATE_UNDECIDED);
    assert_int_equal(single_judge(0.0, single_noise_of(NAN, 3, &rule), &rule).verdict, GATE_UNDECIDED);
    assert_int_equal(single_judge(0.5, single_noise_of(0.01, 3, &rule), &rule).verdict, GATE_SLOWER);
    assert_int_equal(single_judge(-0.5, single_noise_of(0.01, 3, &rule), &rule).verdict, GATE_FASTER);
    assert_int_equal(single_judge(0.001, single_noise_of(0.001, 3, &rule), &rule).verdict, GATE_SAME);
    assert_int_equal(single_judge(0.03, single_noise_of(0.01, 3, &rule), &rule).verdict, GATE_UNDECIDED);
    f = single_judge(0.021, single_noise_of(0.002, 3, &rule),
                     &rule); /* above the smallest effect, but its interval reaches below */
    assert_true(f.estimate > f.floor && f.low < rule.min_effect);
    assert_int_equal(f.verdict, GATE_UNDECIDED);
    assert_int_equal(single_judge(-0.021, single_noise_of(0.002, 3, &rule), &rule).verdict, GATE_SAME);
}

static void test_undisturbed_count(void **state) {
    (void)state;
    double times[] = {9, 1, 8, 2, 3}, all[] = {4, 2, 3};
    static const bool disturbed[] = {true, false, true, false, false}, every[] = {true, true, true};
    assert_true(fabs(single_time(times, disturbed, 5) - 2) < 1e-15);
    assert_true(fabs(single_time(all, every, 3) - 3) < 1e-15);
    assert_true(isnan(single_time(all, every, 0)));
}

/* Three groups of five: their fastest are 4, 2 and 6 when nothing is disturbed. */
static void test_best_time(void **state) {
    (void)state;
    static const double given[] = {5, 4, 9, 9, 9, 2, 8, 8, 8, 3, 7, 7, 6, 7, 7};
    enum { N = sizeof given / sizeof *given };
    bool disturbed[N] = {false};
    double times[N];
    memcpy(times, given, sizeof times);
    assert_true(fabs(single_best_time(times, disturbed, N) - 4) < 1e-15);
    memcpy(times, given, sizeof times); /* too few for three samples: the median of 14 */
    assert_true(fabs(single_best_time(times, disturbed, 14) - 7) < 1e-15);
    assert_true(isnan(single_best_time(times, disturbed, 0)));
}

/* A program that waits disturbs most of its own repetitions: the few undisturbed ones must not decide its time. */
static void test_disturbing_oneself(void **state) {
    (void)state;
    enum { N = 15 };
    bool disturbed[N];
    double times[N];
    for (size_t spared = 1; spared <= N; spared++) {
        for (size_t best = 0; best < 2; best++) {
            for (size_t i = 0; i < N; i++) {
                disturbed[i] = i >= spared;
                times[i] = disturbed[i] ? 50 : 10;
            }
            double time = (best ? single_best_time : single_time)(times, disturbed, N);
            /* best: the median of three samples of five in a row */
            bool seen = best ? spared <= 5 : spared <= 7;
            assert_true(fabs(time - (seen ? 50 : 10)) < 1e-15);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_time),
        cmocka_unit_test(test_disturbing_oneself),
        cmocka_unit_test(test_few_cases_have_no_noise),
        cmocka_unit_test(test_undisturbed_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
