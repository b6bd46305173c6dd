/* perf_event_open(2) as every user of it here wants it: the calling thread, in user mode only, but for events that
 * belong to no thread. */
#ifndef HARNESS_COUNTERS_SOURCE_PERF_OPEN_H
#define HARNESS_COUNTERS_SOURCE_PERF_OPEN_H

#include <stdbool.h>
#include <stdint.h>

/* What the kernel counts: perf_event_attr's type and the three words of configuration. */
typedef struct perf_code {
    uint32_t type;
    uint64_t config, config1, config2;
    /* Counts all that runs on what `cpu` stands for (its socket, its energy); else this thread. */
    bool everybody;
    int cpu;
    bool any_mode; /* of a PMU that cannot count user mode alone */
} perf_code;

/* The file of a disabled event, to be closed; -1 and errno when the kernel refuses it. `leader` is the file of
 * its group's leader, or -1: then it leads a pinned group, which counts as a whole or not at all. Drivers that
 * cannot count without the guests of a virtual machine (Apple's CPUs) are asked again with exclude_guest. */
int perf_open_event(const perf_code *code, int leader, uint64_t read_format);

/* 0 when the kernel opens the event alone, else its errno. */
int perf_try(const perf_code *code);

/* Whether the event gets a counter when nothing else of this process wants one. */
bool perf_counts_alone(const perf_code *code);

#endif
