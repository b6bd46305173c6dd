/* Runs a plan into a store: rounds over all cases, in each a fresh process a case. */
#ifndef HARNESS_RUN_SWEEP_H
#define HARNESS_RUN_SWEEP_H

#include "harness/plan/plan.h"
#include "harness/results/store.h"
#include "harness/run/counting.h"

typedef struct sweep_settings {
    const counting *counting;
    int cpu;      /* all cases are pinned to it */
    double limit; /* of measure_settings */
} sweep_settings;

typedef struct sweep_counts {
    size_t failed;      /* checks that failed, processes that broke */
    size_t unsupported; /* cases that need what this machine lacks */
    size_t repetitions, disturbed;
} sweep_counts;

/* Runs what the store lacks. -1 when it could not go on (the disk, a stop signal). SIGUSR1 stops it between two
 * processes. */
int sweep_run(const plan *p, const sweep_settings *settings, results_store *s, attn_error *error);

/* The signal that stopped it, one of child_stop_signal's or SIGUSR1; 0: none. */
int sweep_stop_signal(void);

/* Entries of all cases of the plan, which are all in the store, for the results file, and counts over them. NULL when
 * memory is short. */
json_t *sweep_entries(sweep_counts *counts, const plan *p, const results_store *s, attn_error *error);

#endif
