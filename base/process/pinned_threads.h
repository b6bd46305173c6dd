/* Threads that share work (attn/threads.h), each pinned to a CPU of its own. */
#ifndef BASE_PROCESS_PINNED_THREADS_H
#define BASE_PROCESS_PINNED_THREADS_H

#include "attn/threads.h"

#include <sched.h>

typedef struct pinned_threads {
    attn_threads *threads; /* NULL: one, which stays where it is */
    cpu_set_t before;      /* where this thread could run */
} pinned_threads;

/* count 0 is 1. Pins this thread too. Returns 0, or -1 and an error, of code ATTN_ERROR_UNSUPPORTED where this process may
 * not use that many CPUs. */
int pinned_threads_open(pinned_threads *t, size_t count, attn_error *error);
void pinned_threads_close(pinned_threads *t); /* puts this thread back; zeroed is fine */

#endif
