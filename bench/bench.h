/* The measuring process: cases of text run by Google Benchmark, each checked against its scalar reference
 * first. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "bench/probe.h"

/* `attnbench bench`: all of Google Benchmark's flags, plus --case ROW (repeatable), --cases FILE ("-":
 * standard input), --seed N, --check-flops N. Without cases those of the file default_cases run. Reorders
 * argv. Returns an exit status: 0; 1 when a check failed; 2 on bad input; 3 when a case needs what
 * this CPU or its implementation lacks.
 *
 * User counters of each entry: flops, bytes (formulas, per iteration), check_max_error, check_limit,
 * check_rows; for the whole repetition major_faults, minor_faults, involuntary_switches, voluntary_switches;
 * peak_bytes, the most that attn_alloc held for the case in it (weights, cache, workspace, input); of
 * attention and encoders also kv_bytes_formula, kv_bytes_live and, with a latent, path_run (0 expand, 1
 * absorb), and part_attention/<name>: seconds of the parts of attention (bench_part_name); of encoders
 * conv_bytes_formula, conv_bytes_live, audio_seconds, parameters, and part_<name>: the seconds that each part of the
 * model took (attn_part_names); then what the probe emits. An entry that was
 * skipped has none. Context: seed, blas_core, isa and the probe's. */
int bench_main(int argc, char **argv, const char *default_cases, const bench_probe *probe);

#endif
