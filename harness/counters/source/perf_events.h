/* The kernel's generic events one by one, for reports of a CPU that something does not know. */
#ifndef HARNESS_COUNTERS_SOURCE_PERF_EVENTS_H
#define HARNESS_COUNTERS_SOURCE_PERF_EVENTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct perf_generic_event {
    const char *name; /* as perf(1) calls it */
    uint32_t type;
    uint64_t config;
} perf_generic_event;

extern const perf_generic_event perf_generic_events[];
extern const size_t perf_generic_event_count;

enum { PERF_TRIAL_TURNS = 1000000 };

/* Opens the event alone and reads it around a loop of PERF_TRIAL_TURNS. 0 and what it read (negative: it was
 * open but never got a counter); otherwise the errno. */
int perf_try_event(const perf_generic_event *event, double *value);

#endif
