/* One limit of the machine: the kind machine/ finds it by its name. One file a family of limits, one row in
 * case_machine.c each. Private to bench/. */
#ifndef BENCH_LIMITS_MACHINE_LIMIT_H
#define BENCH_LIMITS_MACHINE_LIMIT_H

#include "bench/kind.h"

typedef struct machine_limit {
    bench_where where;
    /* 0, or -1 and an error: what this machine lacks for the case. NULL: it lacks nothing. Asked once, while no other
     * thread of the process works. */
    int (*supported)(const bench_case *c, attn_error *error);
    /* As in bench_kind_ops; with t:N each thread prepares a state of its own. The CPU has the case's instruction set,
     * which the kind's code has checked. */
    int (*prepare)(void **state, const bench_case *c, const bench_settings *settings, attn_error *error);
    void (*run)(void *state);
    /* Runs it and compares with the known answer: how far it is off, 0 when right. */
    double (*off)(void *state);
    void (*values)(const void *state, bench_emit_number *emit, void *to); /* "flops", "bytes", "steps" */
    void (*release)(void *state);
} machine_limit;

/* The larger of two errors; NaN, which is worst, where either is. */
double machine_worse(double a, double b);

/* How often an iteration goes over a working set: a small one until 4 MiB have been moved, or 32 MiB next to other
 * threads, so that waiting for them is a small part of the time. */
size_t machine_passes(size_t bytes, size_t threads);

extern const machine_limit limit_flops, limit_read, limit_sgemm, limit_write, limit_copy, limit_triad,
    limit_nt_write, limit_latency, limit_tlb, limit_clock, limit_handoff, limit_products;

#endif
