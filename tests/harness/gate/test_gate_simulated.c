/* How often the gate's decision is wrong, with seeded noise of unkind sorts; simulated. docs/gate-trust.md has the
 * longer runs of the same. */
#include "tests/support/cmocka_all.h"
#include "tests/support/made_pairs.h"

#include "attn/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 10 };

/* Each block runs A B B A or B A A B; times are logs. */
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

/* The simulated table of docs/gate-trust.md: ATTNBENCH_SIMULATE=200 build/tests/harness/gate/test_gate_simulated; its rate
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
        cmocka_unit_test(test_noise_is_never_a_finding),
        cmocka_unit_test(test_pairs_of_a_block_are_one),
        cmocka_unit_test(test_slow_downs_are_found),
        cmocka_unit_test(test_the_border_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
