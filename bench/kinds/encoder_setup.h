/* A whole encoder and one call of it: the set-up that the check and the timed loop share. Private to bench/. */
#ifndef BENCH_KINDS_ENCODER_SETUP_H
#define BENCH_KINDS_ENCODER_SETUP_H

#include "attn/model.h"
#include "bench/kind.h"

typedef struct encoder_setup {
    bench_case row;
    uint64_t seed;
    attn_threads *threads;
    attn_model *model;
    attn_session *session;
    size_t input_frames; /* of a run; its last call is the one that is timed */
    float *x, *out;      /* [input_frames, input_dim], [frames after the input layer, d_model] */
    /* Output of the call that is timed, [q, d_model], by us and by a peer; NULL before encoder_setup_hand_over. */
    float *expected, *answer;
    /* What the calls since rewind took, by part. */
    double seconds[ATTN_PARTS], begun;
    attn_part part;
    size_t calls;
    bench_part_watch watch;
} encoder_setup;

/* The row's model as a configuration. */
int encoder_config(attn_config *config, const bench_case *row, attn_error *error);

/* Allocates all, fills it with seeded numbers, and runs the stream up to the call that is timed. Free with
 * encoder_setup_free. */
int encoder_setup_init(encoder_setup *setup, const bench_case *row, const bench_settings *settings,
                       attn_error *error);
void encoder_setup_free(encoder_setup *setup);

/* For peers (bench_kind_ops.hand_over), before any run: what the call that is timed reads. */
struct peer_tensors;
int encoder_setup_hand_over(encoder_setup *setup, struct peer_tensors *to, attn_error *error);

/* Forgets the times. States and inputs of convolutions stay as the last call left them: see
 * attn_session_repeat. */
void encoder_setup_rewind(encoder_setup *setup);
void encoder_setup_run(encoder_setup *setup);

#define ENCODER_CHECK_FLOPS 1e8 /* of the scalar reference in each of the two comparisons, about */

/* Compares the implementation with the scalar reference, |difference| <= 1e-4 of the largest magnitude in the
 * reference (and what rounding to the cache's type changes at most, where that is not f32), twice: the row's model on the start of an utterance, as long as the reference can afford, and a
 * narrow model of one layer at the row's own length (or a shorter one that the reference can afford). Streams
 * are compared from their beginning, in chunks. A peer's output is then compared with that of our implementation, in the
 * call that is timed. */
int encoder_check(const encoder_setup *setup, bench_check *check, attn_error *error);

#endif
