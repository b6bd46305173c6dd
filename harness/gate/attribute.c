/* Base and candidate of slower cases once more, with counters. */
#include "base/clock.h"
#include "base/process/child.h"
#include "harness/counters/source/callgrind.h"
#include "harness/gate/decide/moved_counters.h"
#include "harness/gate/gate.h"
#include "harness/run/counting.h"
#include "harness/run/counting_merge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double LEAST_LIMIT = 60; /* seconds for all of it; else a quarter of the budget */

/* 0 too when the process reported nothing. */
static int add_process(moved_counter *counters, gate *g, const gate_case *c, size_t side,
                       const counting *counted, attn_error *error) {
    measure_settings settings = gate_measure_settings(g, c, side, 0);
    const char *words[MEASURE_COUNTER_WORDS];
    json_t *entries, *entry;
    measure_outcome outcome;
    size_t i;
    int result = 0;
    if (counted)
        counting_words(counted, words);
    settings.counters = counted ? words : NULL;
    settings.simulated = !counted;
    if (measure_case(&entries, &outcome, c->row, &settings, error))
        return -1;
    json_array_foreach(entries, i, entry) {
        json_t *read = json_object_get(entry, "counters");
        if (counted && read && !result)
            result = mark_validation(read, counted->metrics, error);
    }
    if (outcome == MEASURE_DONE && !result)
        (counted ? moved_add : moved_add_simulated)(counters, side, entries);
    json_decref(entries);
    return result;
}

/* As a CPU counts, base and candidate alternating; what it does not count is simulated. */
static int look_at(gate *g, gate_case *c, const counting *counted, attn_error *error) {
    moved_counter counters[MOVED_COUNTERS] = {0};
    bool time = g->settings.metric == GATE_TIME;
    for (size_t i = 0; i < 2 * MOVED_PROCESSES && time && clock_now() < g->attributed; i++)
        if (add_process(counters, g, c, (i + 1) / 2 % 2, counted, error))
            return -1;
    bool simulate = !*counters[0].source && !callgrind_refusal();
    for (size_t side = 0; side < GATE_SIDES && simulate; side++)
        if (add_process(counters, g, c, side, NULL, error))
            return -1;
    json_decref(c->moved);
    c->moved = moved_json(counters, gate_metric_names[g->settings.metric]);
    return c->moved ? 0 : attn_no_memory(error, "what moved");
}

static size_t count_slower(const gate *g) {
    size_t count = 0;
    for (size_t i = 0; i < g->count; i++)
        count += g->cases[i].finding.verdict == GATE_SLOWER;
    return count;
}

int gate_attribute(gate *g, attn_error *error) {
    counting counted = {0};
    attn_error inner = {0};
    size_t slower = count_slower(g);
    if (!slower || !g->settings.attribute || child_stop_signal())
        return 0;
    double limit = fmax(LEAST_LIMIT, g->settings.budget / 4);
    g->attributing = true;
    g->attributed = clock_now() + limit;
    if (!g->settings.silent)
        fprintf(stderr, "counting what moved in %zu case%s, beyond the budget, for at most %.0f s\n", slower,
                slower == 1 ? "" : "s", limit);
    int result =
        counting_open(&counted, "auto", NULL, g->settings.cpu, &inner) || counting_validate(&counted, &inner)
            ? -1
            : 0;
    for (size_t i = 0; i < g->count && !result && clock_now() < g->attributed; i++)
        if (g->cases[i].finding.verdict == GATE_SLOWER)
            result = look_at(g, &g->cases[i], &counted, &inner);
    counting_close(&counted);
    return result && !child_stop_signal() ? attn_fail_as(error, inner.code, "%s", inner.message) : 0;
}
