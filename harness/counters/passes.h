/* A group that is too wide for the CPU's counters is counted in passes, never multiplexed: each pass is a run
 * of its own, and all of them count one event, by which they are checked against each other. */
#ifndef HARNESS_COUNTERS_PASSES_H
#define HARNESS_COUNTERS_PASSES_H

#include "harness/counters/counter_source.h"

enum { PASSES_MAX = 8, PASS_EVENTS_MAX = 32 };

typedef struct counter_pass {
    size_t count;
    const counter_event *events[PASS_EVENTS_MAX];
} counter_pass;

typedef struct counter_passes {
    size_t count; /* at least 1 */
    counter_pass pass[PASSES_MAX];
    const counter_event *shared; /* the first event of every pass; NULL when there is one pass */
} counter_passes;

/* Opens the sources here and now. Events that cannot be counted at all are in the first pass, which then says
 * why. At most PASS_EVENTS_MAX - 1 events. */
int counter_passes_plan(counter_passes *passes, const counter_source *const *sources,
                        const counter_event *const *events, size_t count, attn_error *error);

/* "cycles,instructions": attn_free it. */
char *counter_pass_names(const counter_pass *pass, attn_error *error);

#endif
