/* The gate by instructions: they do not depend on what else the machine does, so that one process is enough. */
#include "base/clock.h"
#include "base/process/child.h"
#include "harness/gate/gate.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* Of a process of the side: 0; 1 when it gave none (then the case is settled); -1. */
static int count_one(gate *g, gate_case *c, size_t side, double *count, attn_error *error) {
    measure_settings settings = gate_measure_settings(g, c, side, 0);
    process_value value;
    settings.simulated = true;
    if (gate_checked_process(&value, c, side, &settings, error))
        return -1;
    *count = value.instructions;
    if (value.outcome == PROCESS_MEASURED)
        return 0;
    gate_give_up(c, side, &value);
    return 1;
}

static int count_pair(gate *g, gate_case *c, attn_error *error) {
    gate_pair *pair = &c->pairs[c->count];
    for (size_t side = 0; side < GATE_SIDES; side++) {
        int failed = count_one(g, c, side, &pair->time[side], error);
        bool go_on = c->finding.verdict == GATE_MISSING_IN_BASE && side == GATE_BASE; /* it may fail, too */
        if (failed && !go_on)
            return failed;
    }
    if (c->finding.settled)
        return 1;
    c->count++;
    return 0;
}

/* What a program differs from itself; nothing is known of that when both sides agree at once. */
static double noise_of(const gate_case *c) {
    double noise = 0;
    for (size_t side = 0; side < GATE_SIDES && c->count > 1; side++)
        noise = fmax(noise, fabs(log(c->pairs[1].time[side] / c->pairs[0].time[side])));
    return noise;
}

static void judge(gate_case *c, const gate_rule *rule) {
    gate_finding *f = &c->finding;
    double effect = log(gate_median_time(c, GATE_CANDIDATE) / gate_median_time(c, GATE_BASE));
    f->settled = true;
    f->noise = noise_of(c);
    f->floor = fmax(f->noise, rule->min_effect);
    f->estimate = effect;
    f->low = effect - f->noise;
    f->high = effect + f->noise;
    if (f->low > f->floor)
        f->verdict = GATE_SLOWER;
    else if (f->high < -f->floor)
        f->verdict = GATE_FASTER;
    else if (f->high <= rule->min_effect)
        f->verdict = GATE_SAME;
}

static int run_case(gate *g, gate_case *c, attn_error *error) {
    double began = clock_now();
    if (gate_more_room(c, error))
        return -1;
    int failed = count_pair(g, c, error);
    bool differ = !failed && (c->pairs[0].time[GATE_BASE] < c->pairs[0].time[GATE_CANDIDATE] ||
                              c->pairs[0].time[GATE_BASE] > c->pairs[0].time[GATE_CANDIDATE]);
    if (differ)
        failed = count_pair(g, c, error);
    gate_took(c, clock_now() - began);
    if (!failed)
        judge(c, &g->settings.rule);
    return failed < 0 ? -1 : 0;
}

static void show_case(const gate *g, size_t i) {
    if (!g->settings.silent && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[Kcounting instructions: case %zu of %zu", i + 1, g->count);
}

int gate_run_counts(gate *g, attn_error *error) {
    attn_error inner = {0};
    int result = 0;
    g->began = clock_now();
    child_catch_signals();
    for (size_t i = 0; i < g->count && !result && !g->out_of_time; i++) {
        g->out_of_time = i && gate_is_late(g, g->cases[i - 1].block_seconds);
        show_case(g, i);
        if (!g->out_of_time)
            result = run_case(g, &g->cases[i], &inner);
    }
    if (!g->settings.silent && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (result && child_stop_signal()) {
        g->interrupted = true;
        result = 0;
    }
    g->looks = 1;
    g->seconds = clock_now() - g->began;
    return result ? attn_fail_as(error, inner.code, "%s", inner.message) : 0;
}
