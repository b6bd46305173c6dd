/* The measuring process: cases of text run by Google Benchmark, each checked against its scalar reference
 * first. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "bench/case.h"

#include <stdbool.h>
#include <stdint.h>

/* What brackets a timed region, once per repetition, and before that the warm-up; the harness supplies it
 * (counters live there). NULL members are fine. `bytes_read` tells the cache bytes that the region read, for
 * software-defined events. values() is called after stop and emits one number for each counter of this
 * repetition, per iteration; the bench adds them to Google Benchmark's output. Names that cannot be read here
 * are not emitted; the reasons go to Google Benchmark's context through describe(). */
typedef void bench_emit_number(void *to, const char *name, double value);
typedef void bench_emit_text(void *to, const char *key, const char *value);
enum { BENCH_PARTS_END = -1 };
typedef struct bench_probe {
    void *context;
    void (*start)(void *context);
    void (*stop)(void *context, uint64_t iterations, double cache_bytes_read);
    void (*values)(void *context, bench_emit_number *emit, void *to);
    void (*describe)(void *context, bench_emit_text *emit, void *to);
    /* One iteration of its own, before the timed ones, split by parts: called when a part of the model begins
     * (an attn_part), and with BENCH_PARTS_END. values() tells each part's numbers as "PART.NAME". */
    void (*part)(void *context, int part);
    bool each; /* brackets every iteration by itself, so that nothing else is inside; values() are the last's
                */
} bench_probe;

/* `attnbench bench`: all of Google Benchmark's flags, plus --case ROW (repeatable), --cases FILE ("-":
 * standard input), --seed N, --check-flops N. Without cases those of the file default_cases run. Reorders
 * argv. Returns an exit status: 0; 1 when a check failed; 2 on bad input; 3 when a case needs instructions
 * that this CPU has not.
 *
 * User counters of each entry: flops, bytes (formulas, per iteration), check_max_error, check_limit,
 * check_rows; for the whole repetition major_faults, minor_faults, involuntary_switches, voluntary_switches;
 * peak_bytes, the most that attn_alloc held for the case in it (weights, cache, workspace, input); of
 * attention and encoders also kv_bytes_formula, kv_bytes_live and, with a latent, path_run (0 expand, 1
 * absorb); of encoders conv_bytes_formula, conv_bytes_live, audio_seconds, parameters, and part_<name>: the
 * seconds that each part of the model took (attn_part_names); then what the probe emits. An entry that was
 * skipped has none. Context: seed, blas_core, isa and the probe's. */
int bench_main(int argc, char **argv, const char *default_cases, const bench_probe *probe);

#endif
