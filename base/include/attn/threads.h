/* Threads that share one piece of work at a time.
 *
 * Work is divided in as many parts as there are threads, and each part has its thread: what is computed depends on the
 * number of threads only, never on which one is faster. A thread waits for its next part for some microseconds, then
 * sleeps. */
#ifndef ATTN_THREADS_H
#define ATTN_THREADS_H

#include "attn/error.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attn_threads attn_threads; /* NULL is the caller's thread alone: nothing is locked then */

enum { ATTN_THREADS_MAX = 1024 };

/* Starts count - 1 threads next to the caller's (count 1 gives NULL). cpus: the CPU of each of the `count`, of which
 * the caller's own is not read; NULL: the kernel places them. Returns 0, or -1 and an error when the system refuses a
 * thread or a CPU. Close with attn_threads_close, on any thread, while no work is shared.
 *
 * A child of fork has none of these threads: there all parts run on the caller's, with the same results. */
int attn_threads_open(attn_threads **threads, size_t count, const int *cpus, attn_error *error);
void attn_threads_close(attn_threads *threads);
size_t attn_threads_count(const attn_threads *threads);

/* From now on attn_share on this thread shares with these. Returns what it was before, for putting it back. */
attn_threads *attn_threads_use(attn_threads *threads);
size_t attn_threads_in_use(void); /* how many parts attn_share makes here */

/* One of `parts` parts of some work. Must not fail. */
typedef void attn_share_function(void *context, size_t part, size_t parts);

/* Runs every part once, part 0 on the caller's thread, and returns when all are done. A part that calls this
 * itself does all of that work alone. Each part sees the caller's attn_cpu_limit. */
void attn_share(attn_share_function *work, void *context);

/* begin..end-1 of `count` things are a part's. Cuts are at multiples of `unit` (at least 1), as even as these allow. */
typedef struct attn_range {
    size_t begin, end;
} attn_range;
attn_range attn_part_range(size_t count, size_t unit, size_t part, size_t parts);

#ifdef __cplusplus
}
#endif
#endif
