/* From what the gate has seen to rows of its report. */
#include "base/progress.h"
#include "base/statistics/stats.h"
#include "base/text/append.h"
#include "harness/gate/gate.h"
#include "harness/gate/report/gate_report.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

double gate_median_time(const gate_case *c, size_t side) {
    double *times = attn_alloc(c->count, sizeof *times, "times", NULL);
    if (!times)
        return NAN;
    for (size_t i = 0; i < c->count; i++)
        times[i] = c->pairs[i].time[side];
    stats_sort(times, c->count);
    double median = stats_quantile(times, c->count, 0.5);
    attn_free(times);
    return median;
}

static json_t *samples_json(const gate_case *c) {
    json_t *list = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(
            list, json_pack("[ff]", c->pairs[i].time[GATE_BASE], c->pairs[i].time[GATE_CANDIDATE]));
    return list;
}

/* Pairs that would do if all goes on as before: the interval narrows with their root. NaN: not to be said. */
static double pairs_needed(const gate_case *c, const gate_rule *rule) {
    const gate_finding *f = &c->finding;
    double half = fmin(f->estimate - f->low, f->high - f->estimate), size = fabs(f->estimate);
    double gap = fabs(size - rule->min_effect);
    if (!isfinite(half) || !(gap > 0))
        return NAN;
    return fmax((double)c->count + 2, (double)c->count * (half / gap) * (half / gap));
}

static void put_needed(char *why, size_t size, const gate *g, const gate_case *c) {
    double needed = pairs_needed(c, &g->settings.rule), factor = needed / (double)c->count;
    char budget[32];
    if (isnan(needed)) {
        text_list(why, size, "; ", "%zu pairs, too few for an interval", c->count);
        return;
    }
    if (needed > GATE_MOST_PAIRS) {
        text_list(why, size, "; ", "%zu pairs; too near to the smallest effect to be told from it", c->count);
        return;
    }
    progress_time(budget, sizeof budget, fmax(g->seconds, 1) * factor);
    text_list(why, size, "; ", "%zu of about %.0f pairs that are needed: a budget of about %s", c->count,
              needed, budget);
}

/* Of a case that was measured, and not decided. */
static void put_reason(char *why, size_t size, const gate *g, const gate_case *c) {
    const gate_finding *f = &c->finding;
    if (f->verdict != GATE_UNDECIDED || g->stored || g->settings.metric != GATE_TIME)
        return;
    if (!c->count) {
        if (!*why)
            text_list(why, size, "; ", "%s before a pair was complete",
                      g->interrupted ? "interrupted" : "the budget was spent");
        return;
    }
    put_needed(why, size, g, c);
    if (isfinite(f->noise) && f->noise > g->settings.rule.min_effect)
        text_list(why, size, "; ", "noise makes a floor of %.2f%%", gate_percent(f->noise));
    if (c->ns > 0)
        text_list(why, size, "; ", "it waited for the CPU %.0f%% of the time", 100 * (1 - c->cpu_ns / c->ns));
}

static int add_case(gate_rows *rows, const gate *g, const gate_case *c, const char *unit, const char *caution,
                    attn_error *error) {
    const gate_finding *f = &c->finding;
    char why[2000];
    snprintf(why, sizeof why, "%s", c->why);
    put_reason(why, sizeof why, g, c);
    if (caution)
        text_list(why, sizeof why, "; ", "%s", caution);
    gate_row row = {.name = c->row->name,
                    .verdict = f->verdict,
                    .why = *why ? why : NULL,
                    .unit = unit,
                    .base = gate_median_time(c, GATE_BASE),
                    .candidate = gate_median_time(c, GATE_CANDIDATE),
                    .estimate = f->estimate,
                    .low = f->low,
                    .high = f->high,
                    .p = f->p,
                    .noise = f->noise,
                    .floor = f->floor,
                    .pairs = c->count,
                    .moved = json_incref(c->moved),
                    .samples = samples_json(c)};
    memcpy(row.bytes, c->bytes, sizeof row.bytes);
    return gate_rows_add(rows, &row, error);
}

int gate_rows_of(gate_rows *rows, const gate *g, const char *unit, const char *caution, attn_error *error) {
    for (size_t i = 0; i < g->count; i++)
        if (add_case(rows, g, &g->cases[i], unit, caution, error))
            return -1;
    return 0;
}
