/* Pieces of work, several at once, each in a process of its own on a CPU of its own. */
#ifndef BASE_PROCESS_POOL_H
#define BASE_PROCESS_POOL_H

#include "base/process/child.h"

enum { POOL_JOBS_MAX = 256, POOL_WAIT = -1, POOL_DONE = -2 };

typedef struct pool {
    size_t jobs; /* at once; at most POOL_JOBS_MAX */
    void *context;
    /* The number of the next piece; POOL_WAIT: not before others have ended; POOL_DONE: there is none. */
    int (*next)(void *context);
    /* In a copy of this process: the exit status. What it says on standard error is for `ended`, its last line, and must
     * fit in a pipe: it is read when the process has ended. */
    int (*work)(void *context, int piece);
    /* In this process; not 0: nothing more is begun, and the pool fails. */
    int (*ended)(void *context, int piece, const child_result *result, attn_error *error);
} pool;

/* CPUs that this process may use. */
size_t pool_cpus(void);

/* Ends when no piece is left and none runs. On failure and on a stop signal (ATTN_ERROR_STOPPED) all that run are
 * killed. */
int pool_run(const pool *p, attn_error *error);

#endif
