/* The gate's decision on made-up pairs: what it must and must not say. */
#include "tests/support/cmocka_all.h"
#include "tests/support/made_pairs.h"
#include "tests/support/refusals.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

/* A look that may spend this part of the error chances. */
static gate_looks spending(double part) {
    return (gate_looks){.share = 1, .alpha_used = 1 - part, .beta_used = 1 - part};
}

static gate_finding look_once(const made_up *m, double part, bool last) {
    gate_finding finding = {0};
    gate_series series = series_of(m);
    attn_error error = {0};
    gate_looks looks = spending(part);
    assert_int_equal(gate_look(&finding, &series, 1, &rule, &looks, last, &error), 0);
    return finding;
}

/* Effects around a centre, noise around 0, both spread evenly within +-spread. */
static made_up spread_blocks(size_t blocks, double centre, double spread, double noise) {
    made_up m = {.blocks = blocks};
    for (size_t i = 0; i < blocks; i++) {
        m.effect[i] = centre + spread * (2 * (double)i / (double)(blocks - 1) - 1);
        m.noise[i] = noise * (2 * (double)i / (double)(blocks - 1) - 1);
    }
    return m;
}

static void test_clear_cases(void **state) {
    (void)state;
    made_up m = spread_blocks(14, log(1.08), 0.01, 0.01);
    gate_finding f = look_once(&m, 0.5, false);
    assert_int_equal(f.verdict, GATE_SLOWER);
    assert_true(f.settled && f.low > rule.min_effect && f.low < f.estimate && f.estimate < f.high);
    assert_true(f.p < 1e-4);
    m = spread_blocks(14, -log(1.08), 0.01, 0.01);
    assert_int_equal(look_once(&m, 0.5, false).verdict, GATE_FASTER);
    m = spread_blocks(14, 0, 0.01, 0.01);
    f = look_once(&m, 0.5, false);
    assert_int_equal(f.verdict, GATE_SAME);
    assert_true(f.settled && f.p > 0.1);
}

static void test_significant_is_not_enough(void **state) {
    (void)state;
    made_up m = spread_blocks(100, log(1.01), 0.005, 0.01);
    gate_finding f = look_once(&m, 0.5, false);
    assert_true(f.p < 1e-6);
    assert_int_equal(f.verdict, GATE_SAME);
    m = spread_blocks(100, log(1.02), 0.03, 0.01); /* on the floor: nothing can be said */
    f = look_once(&m, 0.5, false);
    assert_int_equal(f.verdict, GATE_UNDECIDED);
    assert_false(f.settled);
    f = look_once(&m, 1.0 / 6, true);
    assert_int_equal(f.verdict, GATE_UNDECIDED);
    assert_true(f.settled);
}

static void test_floor_is_the_noise(void **state) {
    (void)state;
    made_up m = spread_blocks(40, log(1.08), 0.02, 0.01), noisy = spread_blocks(40, log(1.08), 0.02, 0.6);
    assert_int_equal(look_once(&m, 0.5, false).verdict, GATE_SLOWER);
    gate_finding f = look_once(&noisy, 0.5, false);
    assert_true(f.floor > 0.1 && f.floor >= f.noise);
    assert_int_equal(f.verdict, GATE_UNDECIDED);
    /* Noise must not make a slow-down that it hides the same as none. */
    noisy = spread_blocks(40, log(1.03), 0.005, 0.6);
    f = look_once(&noisy, 0.5, true);
    assert_int_equal(f.verdict, GATE_UNDECIDED);
}

static void test_too_few_blocks(void **state) {
    (void)state;
    for (size_t blocks = 4; blocks <= 6; blocks++) {
        made_up m = spread_blocks(blocks, log(2), 0.001, 0.001);
        gate_finding f = look_once(&m, 0.5, true);
        assert_int_equal(f.verdict, GATE_UNDECIDED);
        assert_true(isinf(f.low));
    }
}

static void test_not_slower_is_enough_in_the_end(void **state) {
    (void)state;
    made_up m = spread_blocks(60, -log(1.02), 0.03, 0.01);
    assert_int_equal(look_once(&m, 0.5, false).verdict, GATE_UNDECIDED);
    assert_int_equal(look_once(&m, 1.0 / 6, true).verdict, GATE_SAME);
}

/* With 8 blocks a chance of 1/256 is the least that there is: enough for all of what this look may spend, 0.01/2, but
 * not for a half of it. */
static void test_holm(void **state) {
    (void)state;
    gate_looks looks[3] = {spending(0.5), spending(0.5), spending(0.5)};
    made_up few = spread_blocks(8, log(1.10), 0.001, 0.001),
            many = spread_blocks(40, log(1.10), 0.001, 0.001);
    made_up same = spread_blocks(40, 0, 0.001, 0.001);
    gate_finding findings[2] = {{0}};
    attn_error error = {0};
    gate_series with_same[] = {series_of(&few), series_of(&same)};
    assert_int_equal(gate_look(findings, with_same, 2, &rule, &looks[0], false, &error), 0);
    assert_int_equal(findings[0].verdict, GATE_UNDECIDED);
    assert_int_equal(findings[1].verdict, GATE_SAME);
    memset(findings, 0, sizeof *findings); /* the other is settled: that leaves nothing to this one */
    assert_int_equal(gate_look(findings, with_same, 2, &rule, &looks[1], false, &error), 0);
    assert_int_equal(findings[0].verdict, GATE_UNDECIDED);
    memset(findings, 0, sizeof findings);
    gate_series with_slower[] = {with_same[0], series_of(&many)};
    assert_int_equal(gate_look(findings, with_slower, 2, &rule, &looks[2], false, &error), 0);
    assert_int_equal(findings[0].verdict, GATE_SLOWER);
    assert_int_equal(findings[1].verdict, GATE_SLOWER);
}

/* With two cases this look leaves 0.01/4 to each: 8 blocks cannot be enough, and 9 can. */
static void test_looks_that_cannot_find_spend_nothing(void **state) {
    (void)state;
    gate_finding findings[2] = {{0}};
    gate_looks looks = {.share = sqrt(0.5)};
    attn_error error = {0};
    for (size_t blocks = 6; blocks <= 9; blocks++) {
        made_up m = spread_blocks(blocks, log(1.10), 0.001, 0.001);
        gate_series both[] = {series_of(&m), series_of(&m)};
        assert_int_equal(gate_look(findings, both, 2, &rule, &looks, false, &error), 0);
        assert_true(fabs(looks.alpha_used - (blocks == 9 ? 0.5 : 0)) < 1e-12);
        assert_true(fabs(looks.beta_used - 0.5) < 1e-12);
        assert_int_equal(findings[0].verdict, blocks == 9 ? GATE_SLOWER : GATE_UNDECIDED);
    }
}

/* However many looks there are, and whenever: all of the chances at the last, and nothing beyond. */
static void test_looks_share_out_the_chances(void **state) {
    (void)state;
    made_up m = spread_blocks(40, log(1.02), 0.03, 0.01);
    gate_series series = series_of(&m);
    gate_finding finding = {0};
    gate_looks looks = {0};
    attn_error error = {0};
    for (size_t i = 1; i <= 4; i++) {
        looks.share = 0.2 * (double)i;
        assert_int_equal(gate_look(&finding, &series, 1, &rule, &looks, false, &error), 0);
        assert_true(fabs(looks.alpha_used - looks.share * looks.share) < 1e-12);
    }
    assert_int_equal(gate_look(&finding, &series, 1, &rule, &looks, true, &error), 0);
    assert_true(fabs(looks.alpha_used - 1) < 1e-12 && fabs(looks.beta_used - 1) < 1e-12);
}

/* Of 256 equally likely sums of eight ranks 5 are at most 3: a tail of 1/40 leaves out the three largest
 * means of two blocks, and the fourth is the bound. One is 0: with a tail of 1/240 the bound is the largest.
 */
static void test_same_is_spent_over_looks(void **state) {
    (void)state;
    made_up m = spread_blocks(8, 0, 0.001, 0.001);
    m.effect[7] = 1.2 * rule.min_effect; /* its own mean and two more are beyond the effect */
    m.effect[6] = m.effect[5] = 0.9 * rule.min_effect;
    m.effect[4] = 0.7 * rule.min_effect;
    assert_int_equal(look_once(&m, 0.5, false).verdict, GATE_SAME);
    assert_int_equal(look_once(&m, 1.0 / 12, false).verdict, GATE_UNDECIDED);
    m.effect[4] = m.effect[5] = m.effect[6] = 1.1 * rule.min_effect; /* now ten means are */
    assert_int_equal(look_once(&m, 0.5, false).verdict, GATE_UNDECIDED);
}

/* 2.5% on either side: likewise the fourth from the ends. */
static void test_noise_has_its_tail(void **state) {
    (void)state;
    made_up m = spread_blocks(8, 0, 0.001, 0);
    for (size_t i = 0; i < 8; i++)
        m.noise[i] = 0.001 * (double)(1 + i);
    /* Means from the top: 8, 7.5, 7, 7, 6.5, 6.5 */
    assert_true(fabs(look_once(&m, 0.5, true).noise - 0.0070) < 1e-12);
}

static void test_settled_stays(void **state) {
    (void)state;
    made_up m = spread_blocks(40, log(1.10), 0.001, 0.001);
    gate_series series = series_of(&m);
    gate_finding settled = {.verdict = GATE_SAME, .settled = true, .estimate = 0.123};
    attn_error error = {0};
    gate_looks looks = spending(0.5);
    assert_int_equal(gate_look(&settled, &series, 1, &rule, &looks, true, &error), 0);
    assert_int_equal(settled.verdict, GATE_SAME);
    assert_true(settled.estimate > 0.122);
}

static void test_unknown_is_an_error(void **state) {
    (void)state;
    made_up m = spread_blocks(20, 0, 0.001, 0.001);
    gate_series series = series_of(&m);
    gate_finding f = {0};
    attn_error error = {0};
    m.effect[3] = NAN;
    gate_looks looks = spending(0.5);
    assert_int_equal(gate_look(&f, &series, 1, &rule, &looks, true, &error), -1);
    assert_int_equal(attn_alloc_live(), 0);
}

static int look_again(void *context, attn_error *error) {
    gate_finding f = {0};
    gate_looks looks = spending(0.5);
    return gate_look(&f, context, 1, &rule, &looks, true, error);
}

static void test_refused_memory(void **state) {
    (void)state;
    made_up m = spread_blocks(20, 0, 0.001, 0.001);
    gate_series series = series_of(&m);
    size_t refused = refuse_each_allocation(look_again, &series);
    assert_true(refused > 0 && refused < 19);
}

static void test_schedule(void **state) {
    (void)state;
    size_t pairs = 0, looks = 0;
    for (size_t next; (next = gate_next_look(pairs)); looks++) {
        assert_true(next > pairs && next % 2 == 0 && next <= GATE_MOST_PAIRS);
        pairs = next;
    }
    assert_true(looks >= 8 && looks <= 20);
    assert_true(pairs > GATE_MOST_PAIRS / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clear_cases),
        cmocka_unit_test(test_significant_is_not_enough),
        cmocka_unit_test(test_floor_is_the_noise),
        cmocka_unit_test(test_too_few_blocks),
        cmocka_unit_test(test_not_slower_is_enough_in_the_end),
        cmocka_unit_test(test_holm),
        cmocka_unit_test(test_looks_that_cannot_find_spend_nothing),
        cmocka_unit_test(test_looks_share_out_the_chances),
        cmocka_unit_test(test_same_is_spent_over_looks),
        cmocka_unit_test(test_noise_has_its_tail),
        cmocka_unit_test(test_settled_stays),
        cmocka_unit_test(test_unknown_is_an_error),
        cmocka_unit_test(test_refused_memory),
        cmocka_unit_test(test_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
