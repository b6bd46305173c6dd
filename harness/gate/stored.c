/* The gate against stored results: measured at another time, and one time a case. */
#include "base/clock.h"
#include "base/process/child.h"
#include "base/statistics/stats.h"
#include "harness/gate/compare.h"
#include "harness/gate/decide/one_process.h"
#include "harness/gate/gate.h"
#include "harness/machine/machine.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>

int gate_stored_differences(size_t *count, char *text, size_t size, const results *base, const gate *g,
                            attn_error *error) {
    machine m;
    const json_t *info = g->side[GATE_CANDIDATE].info;
    machine_read(&m, NULL);
    json_t *root =
        json_pack("{s{si s{sO sO sO sO}}}", "context", "num_cpus", m.cpus, "attnbench", "machine",
                  json_object_get(info, "machine"), "build", json_object_get(info, "build"), "blas",
                  json_object_get(info, "blas"), "fingerprint", json_object_get(info, "fingerprint"));
    if (!root)
        return attn_fail(error, "%s: its info lacks machine, build, blas or fingerprint",
                         g->side[GATE_CANDIDATE].program);
    results here = {.root = root, .context = json_object_get(root, "context")};
    here.own = json_object_get(here.context, "attnbench");
    *count = compare_surroundings(text, size, base, &here);
    json_decref(root);
    return 0;
}

static void take_base(gate_case *c, const results *base) {
    const results_case *stored = results_find(base, c->row->name);
    if (stored && stored->count && !stored->error) {
        compare_case_bytes(stored, c->bytes, GATE_BASE);
        return;
    }
    c->finding.settled = true;
    c->finding.verdict = !stored               ? GATE_MISSING_IN_BASE
                         : stored->unsupported ? GATE_UNSUPPORTED
                                               : GATE_BASE_FAILED;
    snprintf(c->why, sizeof c->why, "%s", stored && stored->error ? stored->error : "");
}

static int run_one(gate *g, gate_case *c, double base, attn_error *error) {
    double began = clock_now(), time;
    if (gate_more_room(c, error))
        return -1;
    int failed = gate_measure(g, c, GATE_CANDIDATE, &time, error);
    if (!failed)
        c->pairs[c->count++] = (gate_pair){.time = {base, time}};
    gate_took(c, clock_now() - began);
    return failed < 0 ? -1 : 0;
}

static int run_rounds(gate *g, const results *base, size_t *order, attn_error *error) {
    for (size_t round = 0; round < SINGLE_PROCESSES && !g->out_of_time; round++) {
        size_t open = gate_shuffle_open(g, order);
        gate_show(g, open, round, SINGLE_PROCESSES);
        g->out_of_time = open;
        for (size_t i = 0; i < open; i++) {
            gate_case *c = &g->cases[order[i]];
            if (gate_is_late(g, c->block_seconds))
                continue;
            g->out_of_time = false;
            if (run_one(g, c, compare_case_time(results_find(base, c->row->name), error), error))
                return -1;
        }
    }
    return error->code ? -1 : 0;
}

static int judge(gate *g, gate_case *c, attn_error *error) {
    double *logs = attn_alloc(c->count, sizeof *logs, "logs of times", error);
    if (!logs)
        return -1;
    for (size_t i = 0; i < c->count; i++)
        logs[i] = log(c->pairs[i].time[GATE_CANDIDATE] / c->pairs[i].time[GATE_BASE]);
    stats_sort(logs, c->count);
    double effect = stats_quantile(logs, c->count, 0.5);
    for (size_t i = 0; i < c->count; i++)
        logs[i] -= effect;
    single_noise noise = single_noise_of(single_scale(logs, c->count), g->count, &g->settings.rule);
    c->finding = single_judge(effect, noise, &g->settings.rule);
    attn_free(logs);
    return 0;
}

int gate_run_stored(gate *g, const results *base, attn_error *error) {
    attn_error inner = {0};
    size_t *order = attn_alloc(g->count, sizeof *order, "order of cases", error);
    if (!order)
        return -1;
    g->stored = true;
    g->began = clock_now();
    child_catch_signals();
    for (size_t i = 0; i < g->count; i++)
        take_base(&g->cases[i], base);
    int result = gate_open_side(g, GATE_CANDIDATE, &inner) || run_rounds(g, base, order, &inner) ? -1 : 0;
    if (result && child_stop_signal()) {
        g->interrupted = true;
        inner = (attn_error){0};
        result = 0;
    }
    for (size_t i = 0; i < g->count && !result; i++)
        if (!g->cases[i].finding.settled)
            result = judge(g, &g->cases[i], &inner);
    g->looks = 1;
    g->seconds = clock_now() - g->began;
    attn_free(order);
    return result ? attn_fail_as(error, inner.code, "%s", inner.message) : 0;
}
