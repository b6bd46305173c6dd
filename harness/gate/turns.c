/* Pairs of live processes that take turns on one CPU. */
#include "harness/gate/duo.h"

#include "base/clock.h"
#include "base/process/stay.h"
#include "base/statistics/stats.h"
#include "bench/turns/turn_lines.h"
#include "harness/gate/decide/turn_ratio.h"
#include "harness/gate/gate.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <math.h>
#include <stdio.h>

int gate_turns_version(const gate_side *side) {
    json_int_t version = json_integer_value(json_object_get(side->info, "turns"));
    return version < 0 ? 0 : version > BENCH_TURNS_VERSION ? BENCH_TURNS_VERSION : (int)version;
}

/* A pair of a case that is under way. */
typedef struct pairing {
    gate *g;
    gate_case *c;
    gate_duo *duo;
    size_t first;             /* side A */
    double *time[GATE_SIDES]; /* ns of an iteration, a turn each */
    size_t turns;             /* a side */
    double ns, cpu_ns;
    bool moves; /* data to other pages between layouts */
} pairing;

void gate_duo_end(gate_duo *d) {
    for (size_t i = 0; i < GATE_SIDES; i++)
        partner_end(&d->side[i]);
    *d = (gate_duo){0};
}

/* 1: the case has failed, and is settled; of the pair of processes none is used any more. */
static int settle(int failed, pairing *p, size_t side, double began) {
    process_value value = {.outcome = PROCESS_FAILED, .late = p->duo->side[side].late};
    if (failed <= 0)
        return failed;
    snprintf(value.why, sizeof value.why, "%s", p->duo->side[side].why);
    gate_fail_process(p->g, p->c, side, began, &value);
    return 1;
}

static double end_of_turn(const pairing *p, size_t side) {
    return clock_now() + gate_measure_settings(p->g, p->c, side, 0).limit;
}

static int ask_one(pairing *p, size_t side, double *end, attn_error *error) {
    measure_settings settings = gate_measure_settings(p->g, p->c, side, GATE_SHORT_CHECK_FLOPS);
    partner *asked = &p->duo->side[side];
    double began = clock_now();
    settings.output_hash = p->c->output_hash[side];
    *end = began + settings.limit;
    if (!p->duo->alive && partner_start(asked, p->c->row, p->g->settings.turns, &settings, error))
        return -1;
    return settle(partner_ask(asked, p->c->row, &settings), p, side, began);
}

/* Both set themselves up at once: on a busy CPU two processes get more of it than one after the other. */
static int ask_both(pairing *p, attn_error *error) {
    double began = clock_now(), end = began;
    int failed = 0;
    if (p->duo->alive && (p->g->settings.turns < 2 || p->duo->threads != p->c->row->threads))
        gate_duo_end(p->duo);
    for (size_t k = 0; k < GATE_SIDES && !failed; k++)
        failed = ask_one(p, k ? 1 - p->first : p->first, &end, error);
    p->duo->alive = true;
    p->duo->threads = p->c->row->threads;
    for (size_t side = 0; side < GATE_SIDES && !failed; side++)
        failed = settle(partner_await(&p->duo->side[side], end, error), p, side, began);
    return failed;
}

enum { TURNS_OF_ORDER = 2 };

/* `count` turns in a row, at most TURNS_OF_ORDER: an order, or in version 1 one a turn. */
static int go(pairing *p, size_t side, double *ns, size_t count, attn_error *error) {
    partner_turn turns[TURNS_OF_ORDER];
    partner *asked = &p->duo->side[side];
    size_t step = p->g->settings.turns < 2 ? 1 : count;
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i += step) {
        double began = clock_now();
        failed = settle(partner_go(asked, turns + i, step, p->c->iterations, end_of_turn(p, side), error), p,
                        side, began);
    }
    for (size_t i = 0; i < count && !failed; i++) {
        p->ns += turns[i].ns;
        p->cpu_ns += fmin(turns[i].cpu_ns, turns[i].ns);
        ns[i] = turns[i].ns / (double)p->c->iterations;
    }
    return failed;
}

/* A turn of either side that does not count. */
static int warm(pairing *p, double *fastest, attn_error *error) {
    int failed = 0;
    for (size_t k = 0; k < GATE_SIDES && !failed; k++) {
        double ns;
        failed = go(p, k ? 1 - p->first : p->first, &ns, 1, error);
        if (!failed && ns < *fastest)
            *fastest = ns;
    }
    return failed;
}

/* Of a case's first pair: how many iterations fill a turn, the same on both sides and in all pairs. */
static int find_length(pairing *p, attn_error *error) {
    const plan *measured = p->g->settings.plan;
    gate_case *c = p->c;
    double turn = turn_length(measured->min_time), fastest = INFINITY;
    c->iterations = 1;
    for (size_t i = 0; i < 3; i++) {
        int failed = warm(p, &fastest, error);
        if (failed)
            return failed;
        c->iterations = turn_iterations(turn, fastest);
    }
    double seconds = (double)measured->repetitions * measured->min_time;
    c->turns = turn_count(seconds, fmax(turn, 1e-9 * fastest * (double)c->iterations));
    return 0;
}

static int move_both(pairing *p, attn_error *error) {
    double fastest = INFINITY, bytes = 0;
    int failed = 0;
    for (size_t side = 0; side < GATE_SIDES && !failed && p->moves; side++) {
        double began = clock_now();
        failed =
            settle(partner_move(&p->duo->side[side], &bytes, end_of_turn(p, side), error), p, side, began);
        p->moves = bytes > 0;
    }
    return failed || !p->moves ? failed : warm(p, &fastest, error);
}

/* A B B A, A B B A, ..., `count` turns a side from the nth on: A, B B, A A, ..., B B, A are the orders. */
static int take_layout(pairing *p, size_t nth, size_t count, attn_error *error) {
    size_t done[GATE_SIDES] = {nth, nth};
    int failed = 0;
    for (size_t i = 0; i <= count && !failed; i++) {
        size_t side = i % 2 ? 1 - p->first : p->first, turns = i == 0 || i == count ? 1 : 2;
        failed = go(p, side, p->time[side] + done[side], turns, error);
        done[side] += turns;
    }
    return failed;
}

static int take_turns(pairing *p, attn_error *error) {
    int failed = 0;
    p->ns = p->cpu_ns = 0;
    p->moves = p->g->settings.turns > 1;
    for (size_t nth = 0; nth < p->turns && !failed; nth += TURNS_OF_LAYOUT) {
        size_t left = p->turns - nth;
        failed = nth ? move_both(p, error) : 0;
        if (!failed)
            failed = take_layout(p, nth, left < TURNS_OF_LAYOUT ? left : TURNS_OF_LAYOUT, error);
    }
    return failed;
}

static int keep(pairing *p, attn_error *error) {
    gate_pair pair = {.effect = NAN, .noise = NAN};
    gate_case *c = p->c;
    if (turn_ratio(&pair.effect, &pair.noise, p->time, p->turns, error))
        return -1;
    for (size_t i = 0; i < GATE_SIDES; i++) {
        stats_sort(p->time[i], p->turns);
        pair.time[i] = stats_quantile(p->time[i], p->turns, 0.5);
    }
    c->pairs[c->count++] = pair;
    c->ns += p->ns;
    c->cpu_ns += p->cpu_ns;
    p->g->blocks++;
    return 0;
}

/* Set up and warm; its length is known. */
static int prepare(pairing *p, attn_error *error) {
    double fastest = INFINITY;
    int failed = ask_both(p, error);
    if (!failed)
        failed = p->c->iterations ? warm(p, &fastest, error) : find_length(p, error);
    if (failed)
        return failed;
    p->turns = p->c->turns;
    for (size_t i = 0; i < GATE_SIDES; i++)
        if (!(p->time[i] = attn_alloc(p->turns, sizeof *p->time[i], "turns", error)))
            return -1;
    return 0;
}

int gate_turn_pair(gate *g, gate_case *c, gate_duo *duo, attn_error *error) {
    pairing p = {.g = g, .c = c, .duo = duo, .first = attn_random_below(&g->random, 2)};
    double began = clock_now();
    stay here = {.moved = false};
    if (gate_more_room(c, error))
        return -1;
    int failed = prepare(&p, error);
    if (!failed) {
        stay_on(&here, g->settings.cpu);
        failed = take_turns(&p, error);
        stay_end(&here);
    }
    if (!failed)
        failed = keep(&p, error);
    for (size_t i = 0; i < GATE_SIDES; i++)
        attn_free(p.time[i]);
    if (failed)
        gate_duo_end(duo);
    gate_took(c, clock_now() - began);
    return failed;
}
