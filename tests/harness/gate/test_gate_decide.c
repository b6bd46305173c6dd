/* The gate's decision on made-up pairs: what it must and must not say, and, with seeded noise of unkind
 * sorts, how often it is wrong. docs/gate-trust.md has the longer runs of the same. */
#include "tests/support/cmocka_all.h"
#include "tests/support/refusals.h"

#include "harness/gate/decide/decide.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 10, MOST_BLOCKS = 1000 };

static const gate_rule rule = {0.01, 0.05, 0.019802627296179712}; /* log 1.02 */

typedef struct made_up {
    double effect[MOST_BLOCKS], noise[MOST_BLOCKS];
    size_t blocks;
} made_up;

static gate_series series_of(const made_up *m) {
    return (gate_series){m->effect, m->blocks, m->noise, m->blocks};
}

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

/* Simulation. Each block runs A B B A or B A A B; times are logs. */
static uint64_t random_state;

static double uniform(void) {
    return ((double)(attn_random_next(&random_state) >> 11) + 0.5) * 0x1p-53;
}

static double gaussian(void) {
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

typedef double noise_function(size_t position, double *memory);

static double calm(size_t position, double *memory) {
    (void)position, (void)memory;
    return 0.01 * gaussian();
}

static double heavy(size_t position, double *memory) { /* Student's t, 2 degrees of freedom */
    (void)position, (void)memory;
    return 0.01 * gaussian() / sqrt(-log(uniform()));
}

static double drifting(size_t position, double *memory) {
    (void)position;
    *memory += 0.01 * gaussian();
    return *memory + 0.01 * gaussian();
}

static double second_is_slower(size_t position, double *memory) {
    (void)memory;
    return 0.01 * gaussian() + (position % 2 ? 0.02 : 0);
}

static double two_layouts(size_t position, double *memory) { /* of a process, for all its life */
    (void)position, (void)memory;
    return 0.005 * gaussian() + (uniform() < 0.3 ? 0.06 : 0);
}

static double shared(size_t position, double *memory) { /* mostly with the process before */
    (void)position;
    *memory = 0.8 * *memory + 0.006 * gaussian();
    return *memory + 0.001 * gaussian();
}

static double neighbour(size_t position, double *memory) { /* comes and goes, and costs a third */
    (void)position;
    if (uniform() < 0.05)
        *memory = *memory > 0 ? 0 : 0.3;
    return *memory + 0.01 * gaussian();
}

static void add_block(made_up *m, double effect, noise_function *noise, double *memory) {
    double t[4];
    for (size_t i = 0; i < 4; i++)
        t[i] = noise(i, memory);
    bool base_first = uniform() < 0.5;
    size_t a1 = base_first ? 0 : 1, b1 = 1 - a1, b2 = base_first ? 2 : 3, a2 = 5 - b2;
    m->noise[m->blocks] = t[a2] - t[a1];
    m->effect[m->blocks++] = (t[b1] - t[a1] + t[b2] - t[a2]) / 2 + effect;
}

static made_up made[CASES];
static size_t longest = 150; /* pairs that the budget allows */
static double effect_of_others;

static void simulate(gate_finding findings[CASES], noise_function *noise, double effect) {
    double memory[CASES] = {0};
    size_t until = 0;
    bool going = true;
    gate_looks looks = {0};
    for (size_t i = 0; i < CASES; i++)
        made[i].blocks = 0;
    memset(findings, 0, CASES * sizeof *findings);
    while (going) {
        gate_series series[CASES];
        attn_error error = {0};
        until = gate_next_look(until);
        looks.share = (double)until / (double)longest;
        size_t after = gate_next_look(until);
        bool last = !after || after > longest;
        for (size_t i = 0; i < CASES; i++) {
            while (!findings[i].settled && 2 * made[i].blocks < until)
                add_block(&made[i], i ? effect_of_others : effect, noise, &memory[i]);
            series[i] = series_of(&made[i]);
        }
        assert_int_equal(gate_look(findings, series, CASES, &rule, &looks, last, &error), 0);
        going = false;
        for (size_t i = 0; i < CASES; i++)
            going |= !findings[i].settled;
    }
}

static const struct {
    const char *name;
    noise_function *noise;
} noises[] = {{"calm: normal, 1% a process", calm},
              {"heavy: Student's t, 2 degrees of freedom, 1%", heavy},
              {"drifting: a walk of 1% a process, and 1%", drifting},
              {"second is slower: by 2% in each pair, and 1%", second_is_slower},
              {"shared: 1% a process, 0.8 of it with the one before", shared},
              {"two layouts: 3 of 10 processes 6% slower", two_layouts},
              {"neighbour: comes and goes, costs a third, and 1%", neighbour}};
enum { NOISES = sizeof noises / sizeof *noises };

typedef struct rates {
    size_t wrong, found, undecided; /* runs */
    size_t pairs;
} rates;

static rates simulate_runs(noise_function *noise, double effect, size_t runs) {
    rates r = {0};
    gate_finding findings[CASES];
    random_state = 20;
    for (size_t run = 0; run < runs; run++) {
        bool wrong = false, undecided = false;
        simulate(findings, noise, log1p(effect));
        r.found += findings[0].verdict == GATE_SLOWER;
        for (size_t i = 0; i < CASES; i++) {
            wrong |= (i || log1p(effect) <= rule.min_effect) && findings[i].verdict >= GATE_FASTER;
            undecided |= findings[i].verdict == GATE_UNDECIDED;
            r.pairs += 2 * made[i].blocks;
        }
        r.wrong += wrong;
        r.undecided += undecided;
    }
    return r;
}

static void expect_rates(noise_function *noise, double effect, size_t runs, size_t found_at_least) {
    rates r = simulate_runs(noise, effect, runs);
    if (r.wrong || r.found < found_at_least)
        fail_msg("%zu of %zu runs wrong, %zu found, expected %zu at least", r.wrong, runs, r.found,
                 found_at_least);
}

static void test_noise_is_never_a_finding(void **state) {
    (void)state;
    for (size_t i = 0; i < NOISES; i++)
        expect_rates(noises[i].noise, 0, 12, 0);
}

/* Just below the smallest effect, with noise that makes the two pairs of a block alike: taken for two
 * differences, they would be found in a fifth of all runs. */
static void test_pairs_of_a_block_are_one(void **state) {
    (void)state;
    expect_rates(shared, 0.0197, 40, 0);
}

static void test_slow_downs_are_found(void **state) {
    (void)state;
    expect_rates(calm, 0.03, 12, 12);
    expect_rates(shared, 0.03, 12, 12);
    expect_rates(heavy, 0.05, 12, 12);
    expect_rates(drifting, 0.05, 12, 12);
    expect_rates(second_is_slower, 0.05, 12, 12);
    expect_rates(neighbour, 0.05, 12, 12);
}

/* Where a false alarm is most likely: each case is slower by the smallest effect, to the last digit, and no more. */
static rates simulate_border(noise_function *noise, size_t runs) {
    longest = 100;
    effect_of_others = rule.min_effect;
    rates r = simulate_runs(noise, expm1(rule.min_effect), runs);
    effect_of_others = 0;
    return r;
}

static int print_border(size_t runs) {
    printf("| noise | runs | of them with a false alarm |\n|---|---:|---:|\n");
    for (size_t i = 0; i < NOISES; i++) {
        printf("| %s | %zu | %zu |\n", noises[i].name, runs, simulate_border(noises[i].noise, runs).wrong);
        fflush(stdout);
    }
    return 0;
}

static void test_the_border_is_kept(void **state) {
    (void)state;
    for (size_t i = 0; i < NOISES; i++)
        assert_in_range(simulate_border(noises[i].noise, 30).wrong, 0, 2);
    longest = 150;
}

/* The simulated table of docs/gate-trust.md: ATTNBENCH_SIMULATE=200 build/tests/harness/gate/test_gate_decide; its rate
 * of false alarms at the border: ATTNBENCH_BORDER=3000. */
static int print_table(size_t runs) {
    longest = 400;
    static const double effects[] = {0, 0.019, 0.03, 0.05};
    printf("| noise | slow-down of one case in ten | found | another verdict that is wrong | undecided | "
           "pairs a case |\n"
           "|---|---:|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < NOISES; i++)
        for (size_t e = 0; e < sizeof effects / sizeof *effects; e++) {
            rates r = simulate_runs(noises[i].noise, effects[e], runs);
            double all = (double)runs;
            printf("| %s | %.1f%% | %.1f%% | %.1f%% | %.1f%% | %.0f |\n", noises[i].name, 100 * effects[e],
                   100 * (double)r.found / all, 100 * (double)r.wrong / all, 100 * (double)r.undecided / all,
                   (double)r.pairs / all / CASES);
        }
    return 0;
}

int main(void) {
    const char *runs = getenv("ATTNBENCH_SIMULATE"), *border = getenv("ATTNBENCH_BORDER");
    if (border)
        return print_border(strtoul(border, NULL, 10));
    if (runs)
        return print_table(strtoul(runs, NULL, 10));
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
        cmocka_unit_test(test_noise_is_never_a_finding),
        cmocka_unit_test(test_pairs_of_a_block_are_one),
        cmocka_unit_test(test_slow_downs_are_found),
        cmocka_unit_test(test_the_border_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
