/* What counters say of a case that became slower. */
#ifndef HARNESS_GATE_DECIDE_MOVED_COUNTERS_H
#define HARNESS_GATE_DECIDE_MOVED_COUNTERS_H

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { MOVED_PROCESSES = 6, MOVED_LEAST = 4, MOVED_COUNTERS = 12 }; /* processes a side */
extern const char *const moved_names[MOVED_COUNTERS]; /* of counters in a results file, and "ipc" */

/* One counter, both sides, one value a process. */
typedef struct moved_counter {
    char source[16]; /* "" when there is none */
    char why[200];   /* then: the reason */
    size_t count[2];
    double value[2][MOVED_PROCESSES];
} moved_counter;

/* Adds a process's entries (docs/results.md), of which counters are validated already. */
void moved_add(moved_counter counters[MOVED_COUNTERS], size_t side, const json_t *entries);

/* For counters that have no values yet, those of processes under callgrind. */
void moved_add_simulated(moved_counter counters[MOVED_COUNTERS], size_t side, const json_t *entries);

/* {"summary": for people, "counters": [{"name", "source", "base", "candidate", "change_percent", "moved"} or
 * {"name", "unavailable"}]}. `metric` is what became worse. NULL when memory is short. */
json_t *moved_json(const moved_counter counters[MOVED_COUNTERS], const char *metric);

#endif
