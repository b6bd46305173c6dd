/* Entries of one case from several processes made one: counters only, times stay those of the first. */
#ifndef HARNESS_RUN_COUNTING_MERGE_H
#define HARNESS_RUN_COUNTING_MERGE_H

#include "harness/counters/passes.h"

#include <jansson.h>

/* Into every repetition, as simulated counts are the same in each: what the timed process did not count. */
int merge_simulated(json_t *entries, const json_t *simulated, attn_error *error);

/* The same when there are none: why, in every counter that was not asked of another source. */
int merge_refusal(json_t *entries, const char *source, const char *why, attn_error *error);

/* Counters of a further pass, repetition by repetition; `more` is NULL when it failed, with the reason `why`.
 * Passes whose medians of the shared event are more than 2% apart did not run the same: what the later one
 * counted is unavailable then. */
int merge_pass(json_t *entries, const json_t *more, const counter_passes *passes, size_t pass,
               const char *why, attn_error *error);

/* Counters by part (docs/results.md) of one entry into another that lacks them. */
int merge_parts(json_t *entry, const json_t *more, attn_error *error);

/* Adds "validation", and the "factor" of scaled ones, to every counter that has a value: "rejected" where
 * nothing is known of it. */
int mark_validation(json_t *counters, const json_t *metrics, attn_error *error);

/* Members that have no value go. */
void drop_unavailable(json_t *object);

#endif
