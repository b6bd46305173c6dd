/* The gate on itself: whole runs in which the candidate is a copy of this program, another file in another
 * folder as it is with real ones, and runs in which one case of the candidate is slowed down. A journal keeps
 * finished runs, so that the same command goes on where it stopped. */
#ifndef HARNESS_GATE_SELFTEST_H
#define HARNESS_GATE_SELFTEST_H

#include "base/statistics/rates.h"
#include "harness/gate/gate.h"

enum { SELFTEST_LEVELS = 16 };

typedef struct selftest_settings {
    gate_settings gate;
    const char *program;
    const char *journal; /* NULL: none is kept */
    size_t rounds;
    size_t levels, first;            /* those from first on are run */
    double percent[SELFTEST_LEVELS]; /* slow-downs; that of level 0 is none */
} selftest_settings;

/* Of one level. */
typedef struct selftest_count {
    size_t runs;
    size_t found; /* runs that called the slowed case SLOWER */
    size_t wrong; /* runs with a false alarm: another case SLOWER (or any at all), or failed, or grown */
    size_t wrong_fast;
    size_t undecided;                      /* runs with an undecided case */
    double undecided_cases, seconds, load; /* sums over runs; the load of the host when a run ended */
    double highest_load;
} selftest_count;

/* counts[i] is of percent[i]; runs of the journal count. -1: see error; a stop signal ends it early with 0. */
int selftest_run(selftest_count counts[SELFTEST_LEVELS], const selftest_settings *settings,
                 attn_error *error);

#endif
