/* One attention layer, its cache and one call on it: the set-up that the check and the timed loop share.
 * Private to bench/. */
#ifndef BENCH_KINDS_ATTENTION_SETUP_H
#define BENCH_KINDS_ATTENTION_SETUP_H

#include "bench/kind.h"

/* The new frames repeat `period` distinct ones. Where the reference can afford all rows, period is q. Where
 * it cannot, it computes the keys of one period only and lays them out L times, so that it stays independent
 * of the implementation under test at any L. The period is a prime: an implementation that reads a wrong
 * tile reads other keys. */
typedef struct attention_setup {
    bench_case row;
    uint64_t seed;
    double check_flops; /* what the reference may take in a check, about */
    attn_threads *threads;
    bool whole; /* the check compares every row of the output */
    size_t period;
    attn_layer layer;
    attn_cache cache; /* room for L frames, L - q of them held between calls */
    attn_call call;
    float *frames;                   /* [B, period, d_model] */
    float *x, *out;                  /* [B, q, d_model] */
    attn_sinusoids sinusoids;        /* rel_pos*; reaches one position further than needed */
    void *workspace;                 /* of row.impl */
    float *states[ATTN_CACHE_SLOTS]; /* slots that are not per frame, as they were before the call */
    bool answered;                   /* out is a peer's */
} attention_setup;

/* Allocates all and fills it: weights and frames are seeded numbers, the L - q frames held have real keys (of
 * frames that repeat). Free with attention_setup_free. */
int attention_setup_init(attention_setup *setup, const bench_case *row, const bench_settings *settings,
                         attn_error *error);
void attention_setup_free(attention_setup *setup);

/* For peers: x, weights and caches (bench_kind_ops.hand_over). */
struct peer_tensors;
int attention_setup_hand_over(const attention_setup *setup, struct peer_tensors *to, attn_error *error);

/* Back to L - q frames. Between the calls of a timed loop only the length is reset, by attention_setup_run
 * itself: keys are overwritten in place. A state (linear) then goes on summing the same frames; that costs
 * the same, and numbers stay far from overflow for any count of iterations. */
void attention_setup_rewind(attention_setup *setup);
void attention_setup_run(attention_setup *setup);

#endif
