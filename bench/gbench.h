/* Google Benchmark behind C: no exception crosses, no C++ type shows. Private to bench/. */
#ifndef BENCH_GBENCH_H
#define BENCH_GBENCH_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gbench_state gbench_state; /* one timed region */

/* Called for every timed region of a case: while it seeks the number of iterations, then once a repetition.
 * Loops `while (gbench_keep_running(state))`, or returns after gbench_skip. */
typedef void gbench_function(void *context, gbench_state *state);

int gbench_register(const char *name, gbench_function *function, void *context, attn_error *error);
/* The same for work that another process runs and times: `function` calls gbench_elsewhere. */
int gbench_register_elsewhere(const char *name, gbench_function *function, void *context, attn_error *error);
/* One more key and text in the context of the output. */
int gbench_add_context(const char *key, const char *value, attn_error *error);

/* Runs what is registered as the flags say, then forgets what was registered. argv[0] is skipped; the rest
 * must be flags of Google Benchmark. *matched is the number of cases that the filter let through. -1: a flag,
 * the filter or the output is bad. */
int gbench_run(int argc, char **argv, size_t *matched, attn_error *error);

bool gbench_keep_running(gbench_state *state);
/* Leave something out of the timed region: both clocks stand between the two. */
void gbench_pause(gbench_state *state);
void gbench_resume(gbench_state *state);
uint64_t gbench_iterations(const gbench_state *state); /* run so far */
void gbench_skip(gbench_state *state, const char *message);

/* Calls `work` for the iterations that are wanted; it sets the seconds that they took, on the clock and of a CPU. Returns
 * what `work` returned. */
typedef int gbench_work(void *context, uint64_t iterations, double *seconds, double *cpu_seconds);
int gbench_elsewhere(gbench_state *state, gbench_work *work, void *context);
void gbench_label(gbench_state *state, const char *label);
void gbench_counter(gbench_state *state, const char *name, double value);

void gbench_print_flags(void); /* to standard output */

#ifdef __cplusplus
}
#endif
#endif
