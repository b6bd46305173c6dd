/* A group of perf events: all of it counts, or none, never multiplexed. */
#ifndef HARNESS_COUNTERS_SOURCE_PERF_GROUP_H
#define HARNESS_COUNTERS_SOURCE_PERF_GROUP_H

#include "harness/counters/source/perf_open.h"

#include <stdbool.h>
#include <stddef.h>

enum { PERF_GROUP_MAX = 16 };

/* As the kernel lays it out for the read format of perf_group.c. */
typedef struct perf_group_reading {
    uint64_t events, enabled, running;
    uint64_t value[PERF_GROUP_MAX];
} perf_group_reading;

typedef struct perf_group {
    int events;
    int fd[PERF_GROUP_MAX]; /* fd[0] leads the group */
    bool counted;           /* it had its counters for the whole of the last region */
    perf_group_reading before, after;
} perf_group;

/* Adds an event to a group, which may be a zeroed one. -1 and errno when the kernel refuses it. */
int perf_group_add(perf_group *group, const perf_code *code);
void perf_group_drop_last(perf_group *group);
void perf_group_close(perf_group *group); /* a zeroed one is fine too */

/* Around a region; then after.value[i] is what event i counted, where `counted`. */
void perf_group_start(perf_group *group);
void perf_group_stop(perf_group *group);

#endif
