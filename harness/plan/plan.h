/* Plans: what a sweep runs, as text (harness/plan/plans/NAME.yaml).
 *
 *   summary: one line for people
 *   repetitions: 5        samples of each case
 *   rounds: 3             processes that they are spread over
 *   min_time: 0.05        seconds that one repetition lasts at least
 *   seed: 1               of weights and inputs
 *   sweeps:               each is a cross product of lists (one value stands for a list of one)
 *     - rounds: 9             of its cases, instead of the plan's (plan_repetitions)
 *       model_type: conformer   or branchformer; without it: attention, one layer
 *       attention_type: [mha, mla]
 *       mode: [prefill, chunk, decode]
 *       seq_len: [128, 512]   L; of encoders T, and of mode prefill only
 *       queries: [1, 16]  of mode chunk only; 16 by itself
 *       and the other keys of fields that have one in bench/fields.inc (docs/fields.md), each for the cases that
 *       take it: others are left out, and the row comes up once
 *   cases: [attention/mha/decode/L:1000, ...]    single rows
 *   machine: [machine/sgemm/n:512, ...]          limits of the machine, single rows; some
 *                                                stand for what this one has (harness/plan/plan_machine.h)
 *
 * Combinations that cannot be (heads that do not divide d_model, KV heads that do not divide the heads, more
 * queries than keys, rel_pos or a kv_dtype other than f32 without softmax or with blas) are skipped and counted; a sweep in
 * which nothing is possible is an error. */
#ifndef HARNESS_PLAN_PLAN_H
#define HARNESS_PLAN_PLAN_H

#include "harness/plan/plan_rows.h"

#define PLAN_FOLDER "harness/plan/plans"

/* `which`: as in home_named_file, of PLAN_FOLDER. Free with plan_free (a zeroed plan is fine too). */
int plan_read(plan *p, const char *which, attn_error *error);

/* From text in memory; `file` stands for the file in messages. */
int plan_parse(plan *p, const char *text, size_t size, const char *file, attn_error *error);
void plan_free(plan *p);

/* Repetitions of a case in a round; rounds count from 0. Rounds differ by one at most, and the first ones have more. A
 * case with rounds of its own has in each as many as the other cases in their first. After the last round: 0. */
size_t plan_repetitions(const plan *p, const char *row, size_t round);
size_t plan_rounds(const plan *p); /* no more than repetitions */
size_t plan_rounds_of(const plan *p, const char *row);
size_t plan_processes(const plan *p); /* of all rows and rounds */
/* From now on all rows have these, also those with rounds of their own. */
void plan_keep_rounds(plan *p, size_t rounds);

/* Keeps the rows that the extended regular expression finds something in; none is an error. */
int plan_filter(plan *p, const char *expression, attn_error *error);

/* Names rows and settings, so that results of two plans are not mixed up. */
enum { PLAN_HASH = 24 };
void plan_hash(char hash[PLAN_HASH], const plan *p, const char *counters);

#endif
