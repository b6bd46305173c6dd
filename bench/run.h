/* Cases under Google Benchmark: set-up, check, warm-up, timed region. Private to bench/. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "base/process/pinned_threads.h"
#include "bench/delay.h"
#include "bench/kind.h"
#include "bench/parts/part_times.h"
#include "bench/probe.h"

typedef struct bench_entry {
    bench_case row;
    struct bench_session *session;
    bool checked;         /* here, or in an earlier process that made the same output */
    bool remembered;      /* checked in an earlier process: `check` is empty */
    uint64_t output_hash; /* of the output of the warm-up; 0: it has none */
    bench_check check;
    part_times parts;
    bool split;         /* parts are taken: once, by the first process of a case */
    attn_error failure; /* why it is skipped; empty when it may be timed */
} bench_entry;

typedef struct bench_session {
    bench_settings settings;
    bench_delay delay;
    const bench_probe *probe; /* may be NULL */
    bench_entry *entries;
    size_t count;
    bench_entry *current; /* whose set-up `state` is */
    void *state;
    pinned_threads threads;             /* of that set-up */
    size_t held_before;                 /* bytes of attn_alloc before that set-up */
    uint64_t delay_loops;               /* for each iteration of the current entry */
    bool hash_output;                   /* report it */
    uint64_t checked_output;            /* hash of an output that needs no check; 0: none */
    size_t failed, broken, unsupported; /* cases: check failed, no set-up, not on this machine */
} bench_session;

/* What is timed: run(state), or run_elsewhere where there is one. */
typedef struct bench_workload {
    void (*run)(void *state);
    int (*run_elsewhere)(void *state, uint64_t iterations, bench_elapsed *took, attn_error *error);
    void *state;
} bench_workload;

/* Adds the row unless the same case is there already. */
int bench_session_add(bench_session *session, const char *row, attn_error *error);

/* Runs all cases with flags of Google Benchmark (argv[0] is skipped). 0 when they ran, whatever came out of
 * them. */
int bench_session_run(bench_session *session, int argc, char **argv, attn_error *error);

/* The row in place of all others; `checked` is session.checked_output. */
int bench_session_switch(bench_session *session, const char *row, uint64_t checked, attn_error *error);

/* For a loop outside of Google Benchmark: sets the entry up, checked and warm. -1: its failure says why, and
 * the session's status counts it. */
int bench_session_enter(bench_entry *entry);
/* Before each timed region of that entry: what an iteration runs. *cold: empty the caches before each iteration. */
bench_workload bench_session_begin(bench_session *session, bool *cold);

int bench_session_status(const bench_session *session);
void bench_session_free(bench_session *session);

#endif
