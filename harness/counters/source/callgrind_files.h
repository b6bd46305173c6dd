/* What callgrind writes of a region. */
#ifndef HARNESS_COUNTERS_SOURCE_CALLGRIND_FILES_H
#define HARNESS_COUNTERS_SOURCE_CALLGRIND_FILES_H

#include "attn/error.h"

#include <stddef.h>

/* Variable of the environment with the path that --callgrind-out-file has. */
#define CALLGRIND_FILES "ATTNBENCH_CALLGRIND_FILES"

enum { CALLGRIND_EVENTS_MAX = 16 };

typedef struct callgrind_totals {
    size_t count;
    char name[CALLGRIND_EVENTS_MAX][8];
    double value[CALLGRIND_EVENTS_MAX];
} callgrind_totals;

/* From the text of a file: its lines "events:" and "totals:". Nothing when it lacks one of them. */
void callgrind_parse_totals(callgrind_totals *totals, const char *text);

/* From the nth file of a process; nothing when it cannot be read. */
void callgrind_read_totals(callgrind_totals *totals, const char *files, int nth);

/* NaN when there is no such event. Events at the end of the line that were never above 0 are left out there:
 * they are 0. */
double callgrind_total(const callgrind_totals *totals, const char *name);

#endif
