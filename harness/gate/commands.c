/* The gate for programs of other people: commands that print Google Benchmark's JSON, whole processes in blocks. A
 * process runs all benchmarks, so that a block has two pairs of each. */
#include "base/clock.h"
#include "base/process/child_fate.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "harness/gate/gate.h"
#include "harness/gate/google.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What one process of a command said. */
typedef struct reply {
    json_t *benchmarks; /* google_read; NULL: it failed */
    bool late;
    double seconds;
    char why[300];
} reply;

/* -1: a stop signal, memory, or there is no shell. */
static int run_command(reply *r, const char *command, int cpu, double limit, attn_error *error) {
    char *words[] = {(char *)"/bin/sh", (char *)"-c", (char *)command, NULL};
    const child_place place = {.cpu = cpu, .limit = limit};
    child_result result;
    char fate[CHILD_FATE];
    attn_error why = {0};
    double began = clock_now();
    *r = (reply){0};
    if (child_run(&result, words, &place, error))
        return -1;
    r->seconds = clock_now() - began;
    r->late = result.late;
    child_fate(fate, &result);
    if (result.late)
        snprintf(r->why, sizeof r->why, "it was still running after %.3g s, and was ended", limit);
    else if (result.status)
        snprintf(r->why, sizeof r->why, "it %s%s%.200s", fate, *result.message ? ": " : "", result.message);
    else if (!(r->benchmarks = google_read(result.output, result.size, "the command", &why)))
        snprintf(r->why, sizeof r->why, "%.290s", why.message);
    utf8_mend(r->why);
    attn_free(result.output);
    return 0;
}

static int add_rows(plan *p, const json_t *benchmarks, json_t *seen, attn_error *error) {
    const char *name;
    json_t *benchmark;
    json_object_foreach((json_t *)benchmarks, name, benchmark) {
        if (json_object_get(seen, name))
            continue;
        if (strlen(name) >= BENCH_NAME_MAX)
            return attn_fail(error, "%.60s...: a benchmark's name of more than %d bytes", name,
                             BENCH_NAME_MAX - 1);
        snprintf(p->rows[p->count++].name, BENCH_NAME_MAX, "%s", name);
        if (json_object_set_new(seen, name, json_true()))
            return attn_no_memory(error, "benchmarks");
    }
    return 0;
}

/* Benchmarks of the base, in its order, then those that only the candidate has. */
static int make_plan(plan *p, const reply said[GATE_SIDES], attn_error *error) {
    size_t most =
        json_object_size(said[GATE_BASE].benchmarks) + json_object_size(said[GATE_CANDIDATE].benchmarks);
    json_t *seen = json_object();
    *p =
        (plan){.name = attn_strdup("commands", error), .repetitions = 1, .min_time = said[GATE_BASE].seconds};
    p->rows = attn_alloc(most, sizeof *p->rows, "benchmarks", error);
    int result = p->name && p->rows && seen ? 0 : -1;
    for (size_t i = 0; i < GATE_SIDES && !result; i++)
        result = add_rows(p, said[i].benchmarks, seen, error);
    json_decref(seen);
    return result;
}

int gate_commands_open(gate_commands *c, plan *p, const gate_side side[GATE_SIDES], int cpu, double budget,
                       attn_error *error) {
    reply said[GATE_SIDES] = {{0}};
    int result = 0;
    *c = (gate_commands){.began = clock_now()};
    child_catch_signals();
    for (size_t i = 0; i < GATE_SIDES && !result; i++) {
        result = run_command(&said[i], side[i].program, cpu, fmax(1, c->began + 1.25 * budget - clock_now()),
                             error);
        if (!result && i == GATE_BASE && !said[i].benchmarks)
            result = attn_fail(error, "--base-cmd: %s", said[i].why);
        c->first[i] = said[i].benchmarks;
        snprintf(c->why[i], sizeof c->why[i], "%s", said[i].why);
    }
    return result ? -1 : make_plan(p, said, error);
}

void gate_commands_free(gate_commands *c) {
    for (size_t i = 0; i < GATE_SIDES; i++)
        json_decref(c->first[i]);
    *c = (gate_commands){0};
}

/* A side without a time for the case: why. */
static void give_up(gate_case *c, size_t side, const json_t *benchmarks, const char *why) {
    const json_t *benchmark = json_object_get(benchmarks, c->row->name);
    process_value value = {.outcome = benchmarks && !benchmark ? PROCESS_MISSING : PROCESS_FAILED};
    snprintf(value.why, sizeof value.why, "%s", benchmark ? json_text(benchmark, "error") : why);
    gate_give_up(c, side, &value);
}

void gate_commands_settle(gate *g, const gate_commands *c) {
    for (size_t i = 0; i < g->count; i++)
        for (size_t side = 0; side < GATE_SIDES; side++)
            if (isnan(google_time(json_object_get(c->first[side], g->cases[i].row->name))))
                give_up(&g->cases[i], side, c->first[side], c->why[side]);
    g->began = c->began;
}

/* 1: the command failed, and no case is compared any more. */
static int take_side(gate *g, size_t side, gate_pair *pairs, attn_error *error) {
    reply r;
    double began = clock_now();
    measure_settings settings = gate_measure_settings(g, &g->cases[0], side, 0);
    if (run_command(&r, g->side[side].program, g->settings.cpu, settings.limit, error))
        return -1;
    for (size_t i = 0; i < g->count; i++) {
        gate_case *c = &g->cases[i];
        process_value value = {.outcome = PROCESS_FAILED};
        const json_t *benchmark = json_object_get(r.benchmarks, c->row->name);
        pairs[i].time[side] = google_time(benchmark);
        google_ran(&c->ns, &c->cpu_ns, benchmark);
        if (c->finding.settled || pairs[i].time[side] > 0)
            continue;
        snprintf(value.why, sizeof value.why, "%s", r.why);
        if (r.late)
            gate_came_late(g, c, side, clock_now() - began, &value);
        else
            give_up(c, side, r.benchmarks, r.why);
    }
    int failed = !r.benchmarks;
    json_decref(r.benchmarks);
    return failed;
}

int gate_command_block(gate *g, attn_error *error) {
    static const size_t base_first[] = {GATE_BASE, GATE_CANDIDATE, GATE_CANDIDATE, GATE_BASE};
    bool turned = attn_random_below(&g->random, 2);
    double began = clock_now();
    gate_pair *pairs = attn_alloc(2 * g->count, sizeof *pairs, "pairs", error);
    int failed = pairs ? 0 : -1;
    for (size_t i = 0; i < 4 && !failed; i++)
        failed = take_side(g, turned ? 1 - base_first[i] : base_first[i], pairs + i / 2 * g->count, error);
    for (size_t i = 0; i < g->count && !failed; i++) {
        gate_case *c = &g->cases[i];
        if (c->finding.settled)
            continue;
        failed = gate_more_room(c, error);
        for (size_t k = 0; k < 2 && !failed; k++)
            c->pairs[c->count++] = pairs[k * g->count + i];
        gate_took(c, clock_now() - began);
    }
    g->blocks += !failed;
    attn_free(pairs);
    return failed < 0 ? -1 : 0;
}
