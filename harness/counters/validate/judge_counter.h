/* Whether a counter is right: its readings around kernels with known answers, judged. */
#ifndef HARNESS_COUNTERS_VALIDATE_JUDGE_COUNTER_H
#define HARNESS_COUNTERS_VALIDATE_JUDGE_COUNTER_H

#include <stdbool.h>
#include <stddef.h>

/* One run of a kernel. Runs of one kernel and size stand together. */
typedef struct known_reading {
    const char *kernel;
    size_t n;                      /* its size */
    double expected, least, scale; /* right is anything from least to expected */
    bool known;                    /* otherwise it could not be read, or read what cannot be */
    double measured;               /* meaningful only when it was read */
} known_reading;

typedef enum verdict_status {
    VERDICT_TRUSTED, /* within 2% of every known answer */
    VERDICT_SCALED, /* off by one factor, the same within 2% for every one of several kernels, size and run */
    VERDICT_UNCHECKED,  /* no kernel that could be run here has a known answer for it */
    VERDICT_REJECTED,   /* some kernel says that it is wrong */
    VERDICT_UNAVAILABLE /* cannot be counted here */
} verdict_status;
extern const char *const verdict_names[];       /* NULL-terminated */
verdict_status verdict_named(const char *name); /* any other text: VERDICT_UNAVAILABLE */

#define VERDICT_ERROR 0.02

typedef struct verdict {
    verdict_status status;
    double expected, measured; /* of the kernel and size that is furthest off: medians */
    double factor;             /* measured / expected, when scaled */
    const char *kernel;        /* NULL when there was no reading */
    char reason[300];          /* "" when trusted */
} verdict;

/* Of several runs of one size the lowest and the highest are left out when there are five or more, as
 * something else may have happened then. No readings: unchecked. */
void verdict_judge(verdict *v, const known_reading *readings, size_t count);

#endif
