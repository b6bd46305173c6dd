#include "harness/gate/gate.h"
#include "harness/gate/duo.h"

#include "base/clock.h"
#include "base/process/child.h"
#include "base/progress.h"
#include "base/statistics/stats.h"
#include "base/text/append.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const gate_metric_names[] = {"time", "instructions", NULL};
const char *const gate_way_names[] = {"turns", "processes", NULL};
const char *const gate_min_effects[] = {"2%", "0.5%"};

int gate_init(gate *g, const gate_settings *settings, attn_error *error) {
    *g = (gate){.settings = *settings, .random = settings->seed};
    g->cases = attn_alloc(settings->plan->count, sizeof *g->cases, "cases", error);
    if (!g->cases)
        return -1;
    g->count = settings->plan->count;
    for (size_t i = 0; i < g->count; i++)
        g->cases[i] = (gate_case){
            .row = &settings->plan->rows[i],
            .finding = {.estimate = NAN, .low = NAN, .high = NAN, .p = NAN, .noise = NAN, .floor = NAN},
            .bytes = {{NAN, NAN}, {NAN, NAN}, {NAN, NAN}}};
    return 0;
}

void gate_free(gate *g) {
    for (size_t i = 0; i < g->count; i++) {
        attn_free(g->cases[i].pairs);
        json_decref(g->cases[i].moved);
    }
    attn_free(g->cases);
    for (size_t i = 0; i < GATE_SIDES; i++)
        json_decref(g->side[i].info);
    *g = (gate){0};
}

/* How long a process may take before that means that it hangs. Google Benchmark may run a repetition for several
 * min_time. */
static double patience(const gate *g, const gate_case *c) {
    static const double least = 5, times = 20;
    const plan *p = g->settings.plan;
    return least + times * (double)p->repetitions * fmax(p->min_time, c->base_seconds);
}

static double limit_of(const gate *g, const gate_case *c) {
    static const double over = 1.25, least = 0.05;
    double left = g->began + over * g->settings.budget - clock_now();
    return g->attributing ? fmax(1, fmin(g->attributed - clock_now(), 60 + patience(g, c)))
                          : fmax(least, fmin(left, patience(g, c)));
}

measure_settings gate_measure_settings(const gate *g, const gate_case *c, size_t side, double check_flops) {
    const plan *p = g->settings.plan;
    return (measure_settings){.program = g->side[side].program,
                              .seed = p->seed,
                              .repetitions = p->repetitions,
                              .min_time = p->min_time,
                              .check_flops = check_flops,
                              .delay = g->side[side].delay,
                              .limit = limit_of(g, c),
                              .cpu = g->settings.cpu};
}

void gate_give_up(gate_case *c, size_t side, const process_value *value) {
    bool base = side == GATE_BASE;
    gate_verdict verdict = value->outcome == PROCESS_MISSING
                               ? base ? GATE_MISSING_IN_BASE : GATE_MISSING_IN_CANDIDATE
                           : value->outcome == PROCESS_UNSUPPORTED ? GATE_UNSUPPORTED
                           : base                                  ? GATE_BASE_FAILED
                                                                   : GATE_CANDIDATE_FAILED;
    if (c->finding.settled && verdict == GATE_UNSUPPORTED)
        return;
    c->finding.settled = true;
    c->finding.verdict = verdict;
    snprintf(c->why, sizeof c->why, "%s", value->why);
}

void gate_came_late(gate *g, gate_case *c, size_t side, double seconds, process_value *value) {
    bool never_ran = side == GATE_BASE && !c->count && !(c->base_seconds > 0);
    bool hangs = seconds > 0.9 * patience(g, c) || never_ran;
    if (hangs) {
        gate_give_up(c, side, value);
        return;
    }
    g->out_of_time = true;
    snprintf(c->why, sizeof c->why, "the budget and a quarter of it were over while the %s ran",
             side == GATE_BASE ? "base" : "candidate");
}

bool gate_is_late(const gate *g, double needed) {
    return clock_now() + needed > g->began + g->settings.budget;
}

static void show_opening(const gate *g, size_t side, size_t i) {
    if (!g->settings.silent && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[Kchecking %s: case %zu of %zu", side == GATE_BASE ? "base" : "candidate",
                i + 1, g->count);
}

int gate_checked_process(process_value *value, gate_case *c, size_t side, const measure_settings *settings,
                         attn_error *error) {
    double began = clock_now();
    if (gate_process(value, c->row, settings, error))
        return -1;
    if (side == GATE_BASE && value->outcome == PROCESS_MEASURED)
        c->base_seconds = clock_now() - began;
    c->output_hash[side] = value->output_hash;
    for (size_t i = 0; i < GATE_BYTE_COUNTS; i++)
        c->bytes[i][side] = value->bytes[i];
    return 0;
}

void gate_fail_process(gate *g, gate_case *c, size_t side, double began, process_value *value) {
    if (value->late)
        gate_came_late(g, c, side, clock_now() - began, value);
    else
        gate_give_up(c, side, value);
}

static int open_case(gate *g, gate_case *c, size_t side, attn_error *error) {
    measure_settings settings = gate_measure_settings(g, c, side, 0);
    process_value value;
    double began = clock_now();
    settings.repetitions = 1;
    settings.hash_output = g->settings.way == GATE_TURNS && g->settings.turns > 1;
    if (gate_checked_process(&value, c, side, &settings, error))
        return -1;
    if (value.outcome != PROCESS_MEASURED)
        gate_fail_process(g, c, side, began, &value);
    return 0;
}

int gate_open_side(gate *g, size_t side, attn_error *error) {
    for (size_t i = 0; i < g->count; i++) {
        gate_case *c = &g->cases[i];
        if (c->finding.settled && c->finding.verdict != GATE_MISSING_IN_BASE)
            continue;
        g->out_of_time = g->out_of_time || gate_is_late(g, 0);
        if (g->out_of_time) {
            if (!c->finding.settled)
                snprintf(c->why, sizeof c->why, "the budget was spent before it was run");
            continue;
        }
        show_opening(g, side, i);
        if (open_case(g, c, side, error))
            return -1;
    }
    return 0;
}

int gate_more_room(gate_case *c, attn_error *error) {
    gate_pair *pairs = attn_grown(c->pairs, c->count + 1, sizeof *pairs, "pairs", error);
    if (!pairs)
        return -1;
    c->pairs = pairs;
    return 0;
}

int gate_measure(gate *g, gate_case *c, size_t side, double *time, attn_error *error) {
    measure_settings settings = gate_measure_settings(g, c, side, GATE_SHORT_CHECK_FLOPS);
    process_value value;
    double began = clock_now();
    if (gate_process(&value, c->row, &settings, error))
        return -1;
    *time = g->stored ? value.plain_time : value.time;
    c->ns += value.ns;
    c->cpu_ns += value.cpu_ns;
    if (value.outcome == PROCESS_MEASURED)
        return 0;
    gate_fail_process(g, c, side, began, &value);
    return 1;
}

/* A B B A, or B A A B: two pairs, and two processes of the base. 1: the case has failed. */
static int run_block(gate *g, gate_case *c, attn_error *error) {
    static const size_t base_first[] = {GATE_BASE, GATE_CANDIDATE, GATE_CANDIDATE, GATE_BASE};
    bool turned = attn_random_below(&g->random, 2);
    gate_pair block[2];
    double began = clock_now();
    if (gate_more_room(c, error))
        return -1;
    for (size_t i = 0; i < 4; i++) {
        size_t side = turned ? 1 - base_first[i] : base_first[i];
        int failed = gate_measure(g, c, side, &block[i / 2].time[side], error);
        if (failed)
            return failed;
    }
    memcpy(c->pairs + c->count, block, sizeof block);
    c->count += 2;
    g->blocks++;
    gate_took(c, clock_now() - began);
    return 0;
}

void gate_took(gate_case *c, double seconds) {
    c->block_seconds = c->block_seconds > 0 ? fmin(c->block_seconds, seconds) : seconds;
}

void gate_show(const gate *g, size_t open, size_t pairs, size_t until) {
    char left[32];
    progress_time(left, sizeof left, fmax(0, g->began + g->settings.budget - clock_now()));
    if (!g->settings.silent && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[Klook %zu: %zu of %zu pairs, %zu of %zu cases undecided, at most %s left",
                g->looks + 1, pairs, until, open, g->count, left);
}

static void show_look(const gate *g, size_t pairs) {
    size_t counts[GATE_VERDICTS] = {0};
    char text[256] = "";
    for (size_t i = 0; i < g->count; i++)
        counts[g->cases[i].finding.verdict]++;
    for (size_t v = 0; v < GATE_VERDICTS; v++)
        if (counts[v])
            text_list(text, sizeof text, ", ", "%zu %s", counts[v], gate_verdict_name((gate_verdict)v));
    if (!g->settings.silent)
        fprintf(stderr, "%slook %zu after %zu pairs, %.0f s: %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "",
                g->looks, pairs, clock_now() - g->began, text);
}

/* Open cases in a new order. Returns how many. */
size_t gate_shuffle_open(gate *g, size_t *order) {
    size_t open = 0;
    for (size_t i = 0; i < g->count; i++)
        if (!g->cases[i].finding.settled)
            order[open++] = i;
    for (size_t i = open; i > 1; i--) {
        size_t j = attn_random_below(&g->random, i), swapped = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swapped;
    }
    return open;
}

/* One block of every open case that the budget has room for; without any, it is spent. */
static int run_round(gate *g, size_t *order, size_t pairs, size_t until, attn_error *error) {
    size_t open = gate_shuffle_open(g, order);
    gate_duo duo = {0};
    int result = 0;
    gate_show(g, open, pairs, until);
    g->out_of_time = true;
    for (size_t i = 0; i < open && !result; i++) {
        gate_case *c = &g->cases[order[i]];
        if (gate_is_late(g, c->block_seconds))
            continue;
        g->out_of_time = false;
        if (g->commands)
            return gate_command_block(g, error);
        int failed =
            g->settings.way == GATE_TURNS ? gate_turn_pair(g, c, &duo, error) : run_block(g, c, error);
        result = failed < 0 ? -1 : 0;
    }
    gate_duo_end(&duo);
    return result;
}

static double log_ratio(const gate_pair *pair) {
    return log(pair->time[GATE_CANDIDATE] / pair->time[GATE_BASE]);
}

gate_series gate_series_of(const gate_case *c, gate_way way, double *numbers) {
    if (way == GATE_TURNS) {
        for (size_t i = 0; i < c->count; i++) {
            numbers[i] = c->pairs[i].effect;
            numbers[c->count + i] = c->pairs[i].noise;
        }
        return (gate_series){numbers, c->count, numbers + c->count, c->count};
    }
    size_t blocks = c->count / 2;
    double *noise = numbers + blocks;
    for (size_t i = 0; i < blocks; i++) {
        const gate_pair *first = &c->pairs[2 * i], *second = first + 1;
        numbers[i] = (log_ratio(first) + log_ratio(second)) / 2;
        noise[i] = log(second->time[GATE_BASE] / first->time[GATE_BASE]);
    }
    return (gate_series){numbers, blocks, noise, blocks};
}

static int look(gate *g, bool last, attn_error *error) {
    size_t numbers = 0, used = 0;
    for (size_t i = 0; i < g->count; i++)
        numbers += 2 * g->cases[i].count;
    double *logs = attn_alloc(numbers, sizeof *logs, "logs of pairs", error);
    gate_series *series = attn_alloc(g->count, sizeof *series, "logs of pairs", error);
    gate_finding *findings = attn_alloc(g->count, sizeof *findings, "findings", error);
    int result = -1;
    if (!logs || !series || !findings)
        goto done;
    for (size_t i = 0; i < g->count; i++) {
        series[i] = gate_series_of(&g->cases[i], g->settings.way, logs + used);
        used += 2 * g->cases[i].count;
        findings[i] = g->cases[i].finding;
    }
    if (!g->looks || g->blocks > g->blocks_seen) { /* the same pairs once more are the same look */
        g->looks++;
        g->spent_before = g->spent;
    }
    g->blocks_seen = g->blocks;
    g->spent = g->spent_before;
    g->spent.share = fmin(1, (clock_now() - g->began) / g->settings.budget);
    result = gate_look(findings, series, g->count, &g->settings.rule, &g->spent, last, error);
    for (size_t i = 0; i < g->count && !result; i++)
        g->cases[i].finding = findings[i];
done:
    attn_free(logs);
    attn_free(series);
    attn_free(findings);
    return result;
}

static bool any_open(const gate *g) {
    for (size_t i = 0; i < g->count; i++)
        if (!g->cases[i].finding.settled)
            return true;
    return false;
}

static int run_looks(gate *g, size_t *order, attn_error *error) {
    size_t pairs = 0;
    while (any_open(g)) {
        size_t until = gate_next_look(pairs);
        while (pairs < until && any_open(g) && !g->out_of_time) {
            if (run_round(g, order, pairs, until, error))
                return -1;
            pairs += g->out_of_time ? 0 : 2;
        }
        if (look(g, g->out_of_time || !gate_next_look(pairs), error))
            return -1;
        show_look(g, pairs);
    }
    return 0;
}

int gate_run(gate *g, attn_error *error) {
    attn_error inner = {0};
    size_t *order = attn_alloc(g->count, sizeof *order, "order of cases", error);
    if (!order)
        return -1;
    g->began = g->commands ? g->began : clock_now();
    child_catch_signals();
    bool opened =
        g->commands || (!gate_open_side(g, GATE_BASE, &inner) && !gate_open_side(g, GATE_CANDIDATE, &inner));
    g->opened = clock_now() - g->began;
    int result = opened && !run_looks(g, order, &inner) ? 0 : -1;
    if (result && child_stop_signal()) {
        g->interrupted = true;
        inner = (attn_error){0};
        result = look(g, true, &inner);
    }
    g->seconds = clock_now() - g->began;
    attn_free(order);
    return result ? attn_fail_as(error, inner.code, "%s", inner.message) : 0;
}
