#include "base/statistics/processes.h"

#include "attn/alloc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double a, double b) {
    assert_true(fabs(a - b) <= 1e-7 * fabs(b));
}

static process_summary summary_of(process_sample *samples, size_t n) {
    attn_error error = {0};
    process_summary s;
    assert_int_equal(process_summarize(&s, samples, n, &error), 0);
    return s;
}

/* The interval is scipy's: exp(stats.t.interval(0.95, 2, mean(log(x)), stats.sem(log(x)))), x = 100, 110, 105. */
static void test_three_processes(void **state) {
    (void)state;
    process_sample samples[] = {{110, 2}, {100, 1}, {104, 3}, {99, 1}, {106, 3}, {500, 1}, {110, 2}};
    process_summary s = summary_of(samples, 7);
    assert_int_equal(s.processes, 3);
    assert_true(s.interval);
    assert_near(s.median, 105);
    assert_near(s.low, 93.2058637121165);
    assert_near(s.high, 118.10766608163526);
}

/* However many samples agree within a process, the interval is of how processes differ. */
static void test_samples_do_not_narrow(void **state) {
    (void)state;
    process_sample few[] = {{1, 1}, {2, 2}}, many[20];
    for (size_t i = 0; i < 20; i++)
        many[i] = (process_sample){i < 10 ? 1 : 2, i < 10 ? 7 : 9};
    process_summary a = summary_of(few, 2), b = summary_of(many, 20);
    assert_true(a.low == b.low && a.high == b.high && a.interval && b.interval);
    assert_true(a.low < 0.1 && a.high > 10);
    assert_near(a.median, 1.5);
}

static void test_six_processes(void **state) {
    (void)state;
    process_sample samples[12];
    for (size_t i = 0; i < 12; i++)
        samples[i] = (process_sample){(double)(1 + i / 2), 1 + i / 2};
    process_summary s = summary_of(samples, 12);
    assert_int_equal(s.processes, 6);
    assert_true(s.interval && s.low == 1 && s.high == 6 && s.median == 3.5);
}

static void test_one_process(void **state) {
    (void)state;
    process_sample samples[] = {{3, 1}, {1, 1}, {4, 1}, {2, 1}, {9, 1}, {7, 1}};
    process_summary s = summary_of(samples, 5);
    assert_int_equal(s.processes, 1);
    assert_true(!s.interval && s.low == 1 && s.high == 9 && s.median == 3);
    s = summary_of(samples, 6);
    assert_true(s.interval && s.low == 1 && s.high == 9 && s.median == 3.5);
}

static void test_nan(void **state) {
    (void)state;
    process_sample samples[] = {{1, 1}, {NAN, 2}, {1, 3}};
    assert_true(isnan(summary_of(samples, 3).median));
    assert_true(isnan(summary_of(samples, 0).low));
    process_summary s;
    attn_error error = {0};
    attn_alloc_fail_at(1);
    assert_int_equal(process_summarize(&s, samples, 3, &error), -1);
    attn_alloc_fail_at(0);
    assert_true(isnan(s.median));
}

static void test_apart(void **state) {
    (void)state;
    const process_range a = {10, 12, 3}, near = {12.1, 13, 3}, meets = {12, 14, 3}, alone = {12.1, 13, 1},
                        far = {14.1, 15, 1}, unknown = {14, 15, 0}, nothing = {NAN, NAN, 3};
    assert_true(process_apart(a, near) && process_apart(near, a));
    assert_false(process_apart(a, meets) || process_apart(meets, a));
    assert_false(process_apart(a, alone) || process_apart(alone, a)); /* the gap is narrower than they are */
    assert_true(process_apart(a, far) && process_apart(far, a));
    assert_false(process_apart(a, unknown) || process_apart(a, nothing) || process_apart(nothing, a));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_processes),
        cmocka_unit_test(test_samples_do_not_narrow),
        cmocka_unit_test(test_six_processes),
        cmocka_unit_test(test_one_process),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
