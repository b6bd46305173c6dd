/* Source "callgrind": a CPU that valgrind simulates, so it works everywhere and reads the same on every run.
 * The measured process has to run under valgrind: callgrind_run starts it so. */
#ifndef HARNESS_COUNTERS_SOURCE_CALLGRIND_H
#define HARNESS_COUNTERS_SOURCE_CALLGRIND_H

#include "base/process/child.h"

#include <jansson.h>
#include <stdbool.h>

/* The simulated caches, the same on every machine. */
enum { CALLGRIND_LINE = 64, CALLGRIND_L1_BYTES = 32 << 10, CALLGRIND_L1_WAYS = 8 };
enum { CALLGRIND_LL_BYTES = 8 << 20, CALLGRIND_LL_WAYS = 16 };

bool callgrind_is_here(void); /* this process runs under valgrind */

/* Why callgrind_run would not work here; NULL when it would. */
const char *callgrind_refusal(void);

/* Runs this program with `words` (NULL-terminated, after the program's name) under valgrind, as child_run
 * does, in a folder of its own (so that files in `words` need absolute names) and an environment that depends
 * on little else, in which our kernels and OpenBLAS use no more than valgrind simulates well. `limit` is
 * that of a child_place. */
int callgrind_run(child_result *result, const char *program, const char *const *words, int cpu, double limit,
                  attn_error *error);

/* What a results file says of it: {"valgrind", "caches", "isa", "blas_core", "note"}. */
json_t *callgrind_json(void);

#endif
