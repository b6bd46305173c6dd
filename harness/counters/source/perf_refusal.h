/* Why perf_event_open(2) does not count here, and what would change it. */
#ifndef HARNESS_COUNTERS_SOURCE_PERF_REFUSAL_H
#define HARNESS_COUNTERS_SOURCE_PERF_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

enum { PERF_NO_KERNEL_SUPPORT = -100 };

typedef struct perf_surroundings {
    int paranoid;        /* kernel.perf_event_paranoid, or PERF_NO_KERNEL_SUPPORT */
    bool pmu;            /* the kernel counts cycles or instructions on this CPU */
    bool crowded;        /* the event in question counts when it is alone */
    bool everybody;      /* the event in question belongs to no thread */
    bool watchdog;       /* the NMI watchdog is on and holds a counter */
    char hypervisor[32]; /* "" when none is known */
} perf_surroundings;

/* From /proc and /sys of this machine, or below `root` (tests); `pmu` is the caller's. */
void perf_surroundings_read(perf_surroundings *around, const char *root);

/* What perf_event_open says to counting cycles or instructions: 0, or the errno. */
int perf_try_pmu(void);

/* One line on `why`: what perf_event_open set errno to, or 0 when the event could be opened but never got a
 * counter. */
void perf_refusal(char *text, size_t size, int why, const perf_surroundings *around);

#endif
