#include "harness/gate/decide/moved_counters.h"

#include "base/statistics/stats.h"
#include "base/text/append.h"
#include "base/text/json.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INSTRUCTIONS, CYCLES, IPC };
const char *const moved_names[MOVED_COUNTERS] = {[INSTRUCTIONS] = "instructions",
                                                 [CYCLES] = "cycles",
                                                 [IPC] = "ipc",
                                                 "l1d_misses",
                                                 "l2_misses",
                                                 "llc_misses",
                                                 "branch_misses",
                                                 "dtlb_misses",
                                                 "page_faults_minor",
                                                 "page_faults_major",
                                                 "context_switches_voluntary",
                                                 "context_switches_involuntary"};

static const double LEAST_CHANGE = 0.005; /* that is reported, as a part of the base's count */
static const double LEAST_PER_INSTRUCTION =
    0.0001; /* of other events that are simulated: fewer cost no time */

static bool is_simulated(const char *source) {
    return !strcmp(source, "callgrind");
}

/* The kernel's counts need no validation; a rare event of theirs is lost in a median. */
static bool is_kernel(const char *source) {
    return !strcmp(source, "kernel");
}

static const json_t *counter_of(const json_t *entry, const char *name) {
    return json_object_get(json_object_get(entry, "counters"), name);
}

/* Over the repetitions of a process; NaN when none has it. */
static double process_value_of(const json_t *entries, const char *name, bool mean) {
    double values[256], sum = 0;
    size_t i, n = 0;
    json_t *entry;
    json_array_foreach((json_t *)entries, i, entry) {
        double value = json_number(counter_of(entry, name), "value");
        if (isnan(value) || n == sizeof values / sizeof *values)
            continue;
        values[n++] = value;
        sum += value;
    }
    stats_sort(values, n);
    return !n ? NAN : mean ? sum / (double)n : stats_quantile(values, n, 0.5);
}

static void add_value(moved_counter *c, size_t side, double value) {
    if (c->count[side] < MOVED_PROCESSES)
        c->value[side][c->count[side]++] = value;
}

static void add_counter(moved_counter *c, size_t side, const json_t *entries, const char *name) {
    const json_t *first = counter_of(json_array_get(entries, 0), name);
    const char *source = json_text(first, "source"), *why = json_text(first, "unavailable");
    double value = process_value_of(entries, name, is_kernel(source));
    if (!*source || isnan(value)) {
        snprintf(c->why, sizeof c->why, "%s", *why ? why : "not counted");
    } else if (!is_kernel(source) && !is_simulated(source) &&
               !strcmp(json_text(first, "validation"), "rejected")) {
        snprintf(c->why, sizeof c->why, "%s counts it wrongly here", source);
    } else {
        snprintf(c->source, sizeof c->source, "%s", source);
        add_value(c, side, value);
    }
}

void moved_add(moved_counter counters[MOVED_COUNTERS], size_t side, const json_t *entries) {
    moved_counter *ipc = &counters[IPC], *cycles = &counters[CYCLES], *instructions = &counters[INSTRUCTIONS];
    size_t cycles_before = cycles->count[side], instructions_before = instructions->count[side];
    for (size_t i = 0; i < MOVED_COUNTERS; i++)
        if (i != IPC)
            add_counter(&counters[i], side, entries, moved_names[i]);
    if (cycles->count[side] > cycles_before && instructions->count[side] > instructions_before) {
        snprintf(ipc->source, sizeof ipc->source, "%s", cycles->source);
        add_value(ipc, side,
                  instructions->value[side][instructions_before] / cycles->value[side][cycles_before]);
    } else {
        snprintf(ipc->why, sizeof ipc->why, "needs cycles and instructions");
    }
}

void moved_add_simulated(moved_counter counters[MOVED_COUNTERS], size_t side, const json_t *entries) {
    for (size_t i = 0; i < MOVED_COUNTERS; i++) {
        const json_t *simulated = counter_of(json_array_get(entries, 0), moved_names[i]);
        bool taken = *counters[i].source && !is_simulated(counters[i].source);
        if (!taken && is_simulated(json_text(simulated, "source")))
            add_counter(&counters[i], side, entries, moved_names[i]);
    }
}

static double median_of(const moved_counter *c, size_t side) {
    double sorted[MOVED_PROCESSES];
    memcpy(sorted, c->value[side], sizeof sorted);
    stats_sort(sorted, c->count[side]);
    return stats_quantile(sorted, c->count[side], 0.5);
}

static void range_of(const moved_counter *c, size_t side, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < c->count[side]; i++) {
        *low = fmin(*low, c->value[side][i]);
        *high = fmax(*high, c->value[side][i]);
    }
}

/* A few processes of two programs that are the same can be apart by chance. */
static bool is_known(const moved_counter *c) {
    size_t least = is_simulated(c->source) ? 1 : MOVED_LEAST;
    return c->count[0] >= least && c->count[1] >= least;
}

/* Every process of one side beyond every one of the other. What is simulated is exact: one process is enough
 * there. */
static bool has_moved(const moved_counter *c, double instructions) {
    double base_low, base_high, low, high, base = median_of(c, 0), change = fabs(median_of(c, 1) - base);
    range_of(c, 0, &base_low, &base_high);
    range_of(c, 1, &low, &high);
    if (!(low > base_high || high < base_low) || !(change >= LEAST_CHANGE * base))
        return false;
    return !is_simulated(c->source) || change >= LEAST_PER_INSTRUCTION * instructions;
}

static json_t *counter_json(const moved_counter *c, const char *name, double instructions) {
    if (!is_known(c))
        return json_pack("{ss ss}", "name", name, "unavailable",
                         *c->why      ? c->why
                         : *c->source ? "counted in too few processes"
                                      : "not simulated");
    double base = median_of(c, 0), candidate = median_of(c, 1);
    return json_pack("{ss ss sf sf so sb}", "name", name, "source", c->source, "base", base, "candidate",
                     candidate, "change_percent",
                     base > 0 ? json_real(100 * (candidate / base - 1)) : json_null(), "moved",
                     has_moved(c, instructions));
}

static void describe(char *text, size_t size, const json_t *counter) {
    double percent = json_number(counter, "change_percent");
    const char *name = json_text(counter, "name"), *source = json_text(counter, "source");
    if (isnan(percent))
        snprintf(text, size, "%s from %g to %.3g (%s)", name, json_number(counter, "base"),
                 json_number(counter, "candidate"), source);
    else
        snprintf(text, size, "%s %+.3g%% (%s)", name, percent, source);
}

json_t *moved_json(const moved_counter counters[MOVED_COUNTERS], const char *metric) {
    char moved[600] = "", same[400] = "", unknown[400] = "", text[120];
    json_t *list = json_array();
    double instructions = is_known(&counters[INSTRUCTIONS]) ? median_of(&counters[INSTRUCTIONS], 0) : 0;
    for (size_t i = 0; i < MOVED_COUNTERS; i++) {
        json_t *counter = counter_json(&counters[i], moved_names[i], instructions);
        bool known = is_known(&counters[i]);
        describe(text, sizeof text, counter);
        if (known && has_moved(&counters[i], instructions))
            text_list(moved, sizeof moved, ", ", "%s", text);
        else
            text_list(known ? same : unknown, known ? sizeof same : sizeof unknown, ", ", "%s",
                      moved_names[i]);
        json_array_append_new(list, counter);
    }
    const char *none = is_known(&counters[INSTRUCTIONS]) ? metric : NULL;
    char *summary = *moved ? attn_format(NULL, "%s moved", moved)
                    : none ? attn_format(NULL, "only %s moved", none)
                           : attn_strdup("nothing that can be counted here moved", NULL);
    char *all = summary ? attn_format(NULL, "%s%s%s%s%s", summary, *same ? "; the same: " : "", same,
                                      *unknown ? "; cannot be counted here: " : "", unknown)
                        : NULL;
    json_t *o = all ? json_pack("{ss so}", "summary", all, "counters", list) : (json_decref(list), NULL);
    attn_free(summary);
    attn_free(all);
    return o;
}
