/* From what the measuring process printed to entries of the results file (docs/results.md). */
#ifndef HARNESS_RESULTS_RESULT_ENTRY_H
#define HARNESS_RESULTS_RESULT_ENTRY_H

#include "bench/case.h"

#include <jansson.h>
#include <stdbool.h>

#define ENTRY_BY_PART "counters_by_part"

/* Google Benchmark's JSON, as text, of a run of this one case: a new list with one entry a repetition, then
 * the aggregates when there are two or more. When the run reports an error, the list is entry_failed's and
 * *failed is set. NULL and an error when the text is not that. */
json_t *entry_list(const bench_case *c, const char *text, size_t size, bool *failed, attn_error *error);

/* Appends Google Benchmark's aggregates over the repetitions, when there are two or more. */
int entry_add_aggregates(json_t *entries, attn_error *error);

/* The one entry of a case without numbers, as Google Benchmark writes an error: no iterations, and times of 0,
 * which programs that read its files ask for. NULL when memory is short. */
json_t *entry_failed(const bench_case *c, const char *message);

/* Of a list: medians of real and of CPU time in ns (NaN without one), the share of the wall clock in which the
 * repetitions did not run, and how many of them were disturbed (base/statistics/disturbed.h). */
double entry_median(const json_t *entries);
double entry_median_cpu(const json_t *entries);
double entry_lost(const json_t *entries);
size_t entry_disturbed(const json_t *entries);

#endif
