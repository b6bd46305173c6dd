/* A plan into a results file: fresh processes (harness/run/sweep.h), a journal, and what surrounds the numbers. */
#ifndef HARNESS_RUN_SWEEP_FILE_H
#define HARNESS_RUN_SWEEP_FILE_H

#include "harness/plan/plan.h"
#include "harness/results/store.h"
#include "harness/run/sweep.h"
#include "harness/shards/plan_split.h"

typedef struct sweep_request {
    const char *command;          /* for messages: "attnbench sweep" */
    const char *out;              /* the results file */
    const char *counters, *group; /* --counters, and --group or NULL */
    int cpu;                      /* to pin to; negative: child_pick_cpu's choice */
    store_policy policy;
    const json_t *options;   /* list of words, for the file: what decides what is measured; borrowed */
    const plan_split *split; /* the plan has the rows of a shard; NULL: all of them */
} sweep_request;

typedef struct sweep_outcome {
    bool was_complete; /* nothing was run: only `cases` and `failed` are set */
    size_t cases, failed;
    sweep_counts counts;
} sweep_outcome;

/* Runs what is not in the journal yet, shows progress on stderr, and writes the file. -1 after a stop signal too
 * (sweep_stop_signal): the journal stays, and the same request resumes. */
int sweep_file_run(sweep_outcome *outcome, const plan *p, const sweep_request *request, attn_error *error);

/* plan_hash's `counters` of a sweep with these. */
enum { SWEEP_COUNTED = 300 };
void sweep_counted(char text[SWEEP_COUNTED], const char *counters, const char *group);

/* "note: 3 combinations that cannot be are left out, ..." on stderr, when there are any. */
void sweep_note_skipped(const plan *p);

#endif
