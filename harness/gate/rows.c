/* From what the gate has seen to rows of its report. */
#include "base/statistics/stats.h"
#include "base/text/append.h"
#include "base/text/json.h"
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

/* By turns with the change that the pair gives, which is not that of the medians. */
static json_t *samples_json(const gate *g, const gate_case *c) {
    json_t *list = json_array();
    for (size_t i = 0; i < c->count; i++) {
        const gate_pair *pair = &c->pairs[i];
        json_t *sample = json_pack("[ff]", pair->time[GATE_BASE], pair->time[GATE_CANDIDATE]);
        if (g->settings.way == GATE_TURNS && g->settings.metric == GATE_TIME && !g->stored)
            json_array_append_new(sample, json_finite(gate_percent(pair->effect)));
        json_array_append_new(list, sample);
    }
    return list;
}

static int add_case(gate_rows *rows, const gate *g, const gate_case *c, const char *unit, const char *caution,
                    attn_error *error) {
    const gate_finding *f = &c->finding;
    char why[2000];
    snprintf(why, sizeof why, "%s", c->why);
    gate_reason(why, sizeof why, g, c);
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
                    .samples = samples_json(g, c)};
    memcpy(row.bytes, c->bytes, sizeof row.bytes);
    return gate_rows_add(rows, &row, error);
}

int gate_rows_of(gate_rows *rows, const gate *g, const char *unit, const char *caution, attn_error *error) {
    for (size_t i = 0; i < g->count; i++)
        if (add_case(rows, g, &g->cases[i], unit, caution, error))
            return -1;
    return 0;
}
