/* The threads of a case (t:N), each pinned to a CPU of its own. Private to bench/. */
#ifndef BENCH_CASE_THREADS_H
#define BENCH_CASE_THREADS_H

#include "attn/threads.h"

#include <sched.h>

typedef struct case_threads {
    attn_threads *threads; /* NULL: one, which stays where it is */
    cpu_set_t before;      /* where this thread could run */
} case_threads;

/* count 0 is 1. Pins this thread too. Returns 0, -1, or BENCH_UNSUPPORTED with the reason as the error where this
 * process may not use so many CPUs. */
int case_threads_open(case_threads *t, size_t count, attn_error *error);
void case_threads_close(case_threads *t); /* puts this thread back; zeroed is fine */

#endif
