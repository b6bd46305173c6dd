/* A pair of live processes that take turns on one CPU. */
#include "base/clock.h"
#include "base/statistics/stats.h"
#include "bench/turn_lines.h"
#include "harness/gate/decide/turn_ratio.h"
#include "harness/gate/gate.h"
#include "harness/run/partner.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <math.h>
#include <stdio.h>

bool gate_knows_turns(const gate_side *side) {
    return json_integer_value(json_object_get(side->info, "turns")) == BENCH_TURNS_VERSION;
}

/* Two processes, and what their turns took. */
typedef struct duo {
    partner side[GATE_SIDES];
    double *time[GATE_SIDES]; /* ns of an iteration, a turn each */
    size_t turns;             /* a side */
    unsigned long long iterations;
    double ns, cpu_ns;
} duo;

static void end_duo(duo *d) {
    for (size_t i = 0; i < GATE_SIDES; i++) {
        partner_end(&d->side[i]);
        attn_free(d->time[i]);
    }
}

/* 1: the case has failed, and is settled. */
static int settle(int failed, gate *g, gate_case *c, size_t side, const partner *p, double began) {
    process_value value = {.outcome = PROCESS_FAILED, .late = p->late};
    if (failed <= 0)
        return failed;
    snprintf(value.why, sizeof value.why, "%s", p->why);
    gate_fail_process(g, c, side, began, &value);
    return 1;
}

/* Both set themselves up at once: on a busy CPU two processes get more of it than one after the other. */
static int start_both(duo *d, gate *g, gate_case *c, size_t first, attn_error *error) {
    double began = clock_now(), end = began;
    for (size_t k = 0; k < GATE_SIDES; k++) {
        size_t side = k ? 1 - first : first;
        measure_settings settings = gate_measure_settings(g, c, side, GATE_SHORT_CHECK_FLOPS);
        end = began + settings.limit;
        if (partner_start(&d->side[side], c->row, &settings, error))
            return -1;
    }
    int failed = 0;
    for (size_t side = 0; side < GATE_SIDES && !failed; side++) {
        partner *p = &d->side[side];
        failed = settle(partner_await(p, end, error), g, c, side, p, began);
    }
    return failed;
}

static int go_one(duo *d, gate *g, gate_case *c, size_t side, double *ns, attn_error *error) {
    partner_turn turn;
    double began = clock_now(), end = began + gate_measure_settings(g, c, side, 0).limit;
    int failed = partner_go(&d->side[side], &turn, d->iterations, end, error);
    if (failed)
        return settle(failed, g, c, side, &d->side[side], began);
    d->ns += turn.ns;
    d->cpu_ns += fmin(turn.cpu_ns, turn.ns);
    *ns = turn.ns / (double)d->iterations;
    return 0;
}

/* Some turns that do not count, to be warm and to see how many iterations fill one: the same on both sides. */
static int find_length(duo *d, gate *g, gate_case *c, size_t first, attn_error *error) {
    double turn = turn_length(g->settings.plan->min_time), fastest = INFINITY;
    d->iterations = 1;
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < GATE_SIDES; k++) {
            double ns;
            int failed = go_one(d, g, c, k ? 1 - first : first, &ns, error);
            if (failed)
                return failed;
            fastest = fmin(fastest, ns);
        }
        d->iterations = turn_iterations(turn, fastest);
    }
    double seconds = (double)g->settings.plan->repetitions * g->settings.plan->min_time;
    d->turns = turn_count(seconds, fmax(turn, 1e-9 * fastest * (double)d->iterations),
                          fastest > 1e9 * turn ? 1 : g->settings.plan->repetitions);
    d->ns = d->cpu_ns = 0;
    for (size_t i = 0; i < GATE_SIDES; i++)
        if (!(d->time[i] = attn_alloc(d->turns, sizeof *d->time[i], "turns", error)))
            return -1;
    return 0;
}

/* A B B A, A B B A, ... */
static int take_turns(duo *d, gate *g, gate_case *c, size_t first, attn_error *error) {
    for (size_t turn = 0; turn < d->turns; turn++)
        for (size_t k = 0; k < GATE_SIDES; k++) {
            size_t side = k == turn % 2 ? first : 1 - first;
            int failed = go_one(d, g, c, side, &d->time[side][turn], error);
            if (failed)
                return failed;
        }
    return 0;
}

static int keep(gate *g, gate_case *c, duo *d, attn_error *error) {
    gate_pair pair = {.effect = NAN, .noise = NAN};
    if (turn_ratio(&pair.effect, &pair.noise, d->time, d->turns, error))
        return -1;
    for (size_t i = 0; i < GATE_SIDES; i++) {
        stats_sort(d->time[i], d->turns);
        pair.time[i] = stats_quantile(d->time[i], d->turns, 0.5);
    }
    c->pairs[c->count++] = pair;
    c->ns += d->ns;
    c->cpu_ns += d->cpu_ns;
    g->blocks++;
    return 0;
}

int gate_turn_pair(gate *g, gate_case *c, attn_error *error) {
    duo d = {0};
    double began = clock_now();
    size_t first = attn_random_below(&g->random, 2);
    if (gate_more_room(c, error))
        return -1;
    int failed = start_both(&d, g, c, first, error);
    if (!failed)
        failed = find_length(&d, g, c, first, error);
    if (!failed)
        failed = take_turns(&d, g, c, first, error);
    if (!failed)
        failed = keep(g, c, &d, error);
    end_duo(&d);
    gate_took(c, clock_now() - began);
    return failed;
}
