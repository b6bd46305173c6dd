/* What turns say of a pair of processes. */
#include "tests/support/cmocka_all.h"

#include "harness/gate/decide/turn_ratio.h"

#include <math.h>

enum { MOST = 64 };

typedef struct turns {
    double base[MOST], candidate[MOST];
    size_t count;
    double effect, noise;
} turns;

static turns even(size_t count, double base, double candidate) {
    turns t = {.count = count};
    for (size_t i = 0; i < count; i++) {
        t.base[i] = base;
        t.candidate[i] = candidate;
    }
    return t;
}

static void judge(turns *t) {
    attn_error error = {0};
    double *const time[2] = {t->base, t->candidate};
    assert_int_equal(turn_ratio(&t->effect, &t->noise, time, t->count, &error), 0);
}

static void expect(turns t, double effect, double noise) {
    judge(&t);
    assert_float_equal(t.effect, effect, 1e-12);
    assert_float_equal(t.noise, noise, 1e-12);
}

static void a_ratio_is_the_log_of_candidate_to_base(void **state) {
    (void)state;
    expect(even(40, 100, 100), 0, 0);
    expect(even(40, 100, 105), log(1.05), 0);
    expect(even(8, 200, 100), log(0.5), 0);
}

/* A B B A: in odd turns of a side the other one goes first. */
static void who_goes_first_does_not_matter(void **state) {
    (void)state;
    for (size_t count = 4; count <= 40; count += 4) {
        turns t = even(count, 100, 100);
        for (size_t i = 0; i < count; i++)
            *(i % 2 ? &t.candidate[i] : &t.base[i]) *= 0.97;
        expect(t, 0, 0);
    }
}

static void what_adds_to_three_turns_of_four_does_not_matter(void **state) {
    (void)state;
    turns t = even(40, 100, 102);
    for (size_t i = 0; i < 40; i++) {
        if (i % 4 != 1)
            t.base[i] *= 1 + (double)(i % 7);
        if (i % 4 != 2)
            t.candidate[i] += 50;
    }
    expect(t, log(1.02), 0);
}

static void windows_that_are_disturbed_whole_do_not_matter_while_they_are_few(void **state) {
    (void)state;
    turns t = even(40, 100, 102);
    for (size_t i = 0; i < 16; i++) /* four of ten windows */
        t.candidate[i] *= 3;
    expect(t, log(1.02), 0);
}

static void a_slow_drift_cancels(void **state) {
    (void)state;
    turns t = even(40, 100, 100);
    for (size_t i = 0; i < 40; i++)
        for (size_t k = 0; k < 2; k++) { /* 0.1% from each turn to the next */
            size_t place = 2 * i + (k == i % 2 ? 0 : 1);
            *(k ? &t.candidate[i] : &t.base[i]) *= pow(1.001, (double)place);
        }
    judge(&t);
    assert_float_equal(t.effect, 0, 0.0011);
}

static void noise_is_the_base_against_itself(void **state) {
    (void)state;
    turns t = even(40, 100, 150);
    for (size_t i = 0; i < 40; i++)
        if (i / 4 % 2)
            t.base[i] = 103;
    judge(&t);
    assert_float_equal(t.noise, log(1.03), 1e-12);
}

static void few_turns_are_judged_by_fours(void **state) {
    (void)state;
    turns t = even(4, 100, 107);
    t.base[2] = t.base[3] = 110;
    judge(&t);
    assert_float_equal(t.noise, log(1.1), 1e-12);
    t = even(2, 100, 107);
    judge(&t);
    assert_float_equal(t.effect, log(1.07), 1e-12);
    assert_true(isnan(t.noise));
}

static void a_time_that_is_no_number_makes_none(void **state) {
    (void)state;
    for (size_t place = 0; place < 4; place++) {
        turns t = even(16, 100, 100);
        for (size_t i = place; i < 16; i += 4)
            t.candidate[i] = NAN;
        judge(&t);
        assert_true(isnan(t.effect));
    }
}

static void a_turn_lasts_half_a_repetition_within_bounds(void **state) {
    (void)state;
    assert_float_equal(turn_length(1e-6), 1e-4, 0);
    assert_float_equal(turn_length(0.0014), 0.0007, 0);
    assert_float_equal(turn_length(0.5), 2e-3, 0);
    assert_int_equal(turn_iterations(2e-4, 20000), 10);
    assert_int_equal(turn_iterations(2e-4, 1e7), 1);
    assert_int_equal(turn_iterations(2e-4, 1e-6), 1000000000);
}

static void turns_fill_the_time_and_come_in_fours(void **state) {
    (void)state;
    assert_int_equal(turn_count(0.002, 2e-4), 12);
    assert_int_equal(turn_count(0.0021, 2e-4), 12);
    assert_int_equal(turn_count(0.0025, 2e-4), 16);
    assert_int_equal(turn_count(0.008, 1), 4);
    assert_int_equal(turn_count(1000, 1e-4), TURNS_OF_PAIR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ratio_is_the_log_of_candidate_to_base),
        cmocka_unit_test(who_goes_first_does_not_matter),
        cmocka_unit_test(what_adds_to_three_turns_of_four_does_not_matter),
        cmocka_unit_test(windows_that_are_disturbed_whole_do_not_matter_while_they_are_few),
        cmocka_unit_test(a_slow_drift_cancels),
        cmocka_unit_test(noise_is_the_base_against_itself),
        cmocka_unit_test(few_turns_are_judged_by_fours),
        cmocka_unit_test(a_time_that_is_no_number_makes_none),
        cmocka_unit_test(a_turn_lasts_half_a_repetition_within_bounds),
        cmocka_unit_test(turns_fill_the_time_and_come_in_fours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
