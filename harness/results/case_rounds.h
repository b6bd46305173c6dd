/* The rounds of a case in the store, put together. */
#ifndef HARNESS_RESULTS_CASE_ROUNDS_H
#define HARNESS_RESULTS_CASE_ROUNDS_H

#include "harness/results/store.h"

/* Whether the round is to be run. Not after a round that failed. Otherwise when the store lacks it, or when it relied on
 * the check of the first round, which has been run again since and gave another output. */
bool case_rounds_lack(const results_store *s, const char *row, size_t round);

/* Entries of the results file (docs/results.md), a new list: the repetitions of all rounds, each with the number of its
 * process, and the aggregates over them; of a case that failed in a round that one's error. The check that the first
 * process made is in all of them. NULL and no error: a round is missing. */
json_t *case_rounds_join(const results_store *s, const char *row, size_t rounds, attn_error *error);

/* What the first process of the case reported under this key (a number); `missing` where there is none. */
double case_rounds_number(const results_store *s, const char *row, const char *key, double missing);

#endif
