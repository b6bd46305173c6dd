/* Plans: what a sweep runs, as text (harness/plan/plans/NAME.yaml).
 *
 *   summary: one line for people
 *   repetitions: 5        samples of each case
 *   min_time: 0.05        seconds that one repetition lasts at least
 *   seed: 1               of weights and inputs
 *   sweeps:               each is a cross product of lists (one value stands for a list of one)
 *     - model_type: conformer   or branchformer; without it: attention, one layer
 *       attention_type: [mha, mla]
 *       mode: [prefill, chunk, decode]
 *       seq_len: [128, 512]   L; of encoders T, and of mode prefill only
 *       queries: [1, 16]  of mode chunk only; 16 by itself
 *       d_model, num_heads, pos_enc, impl
 *       batch, kv_dtype   only for attention
 *       left_chunks, num_layers, input_layer, conv_kernel_size, merge_method   only for encoders
 *       num_kv_heads      only for types that have it
 *       latent_dim, path  only for types that have a latent
 *   cases: [attention/mha/decode/L:1000, ...]    single rows
 *   machine: [machine/sgemm/n:512, ...]          limits of the machine, single rows; machine/levels and
 *                                                machine/instruction_sets stand for what this one has
 *
 * Combinations that cannot be (heads that do not divide d_model, KV heads that do not divide the heads, more
 * queries than keys, rel_pos without softmax) are skipped and counted; a sweep of nothing else is an error.
 */
#ifndef HARNESS_PLAN_PLAN_H
#define HARNESS_PLAN_PLAN_H

#include "bench/case.h"

#include <stdint.h>

enum { PLAN_ROWS_MAX = 20000 };

typedef struct plan {
    char *name; /* "quick"; of a file, its name without .yaml */
    size_t repetitions;
    double min_time;
    uint64_t seed;
    size_t count;
    bench_case *rows; /* in the plan's order, no two of one name; machine rows come last */
    size_t skipped;   /* combinations that cannot be */
    char note[200];   /* the first of them, and why */
} plan;

/* `which` is a name under harness/plan/plans/, or a path (with a slash, or ending in .yaml). Free with plan_free
 * (a zeroed plan is fine too). */
int plan_read(plan *p, const char *which, attn_error *error);

/* From text in memory; `file` stands for the file in messages. */
int plan_parse(plan *p, const char *text, size_t size, const char *file, attn_error *error);
void plan_free(plan *p);

/* Keeps the rows that the extended regular expression finds something in; none is an error. */
int plan_filter(plan *p, const char *expression, attn_error *error);

/* Names rows and settings, so that results of two plans are not mixed up. */
enum { PLAN_HASH = 24 };
void plan_hash(char hash[PLAN_HASH], const plan *p, const char *counters);

#endif
