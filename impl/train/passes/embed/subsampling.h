/* Both 3x3 stride-2 convolutions with ReLU of a conv2d input layer, over one utterance; channels last. Frame t,
 * bin f of an output sees frames 2 t .. 2 t + 2 and bins 2 f .. 2 f + 2 of its input. What is between the two is
 * not kept: it is made again on the way back, a tile of frames at a time. */
#ifndef TRAIN_SUBSAMPLING_H
#define TRAIN_SUBSAMPLING_H

#include "impl/encoder/encoder.h"
#include "impl/train/passes/real.h"

/* Scratch, laid out together. */
typedef struct attn_subsampling_scratch {
    size_t channels, bins[3];
    attn_real *dbias;            /* [2, channels] of both convolutions */
    attn_real *taps, *dtaps;     /* first: [3, 3, channels], from weight [channels, 1, 3, 3] */
    attn_real *packed, *dpacked; /* second: [channels, 3, 3, channels], from [channels, channels, 3, 3] */
    attn_real *patches;          /* [positions of a tile, 9 channels] */
    attn_real *middle, *dmiddle; /* [2 tile + 1, bins[1], channels] */
    attn_real *tile, *swapped;   /* [tile, bins[2], channels], and with bins last */
} attn_subsampling_scratch;

void attn_train_subsampling_layout(attn_subsampling_scratch *s, const attn_embed *w, attn_arena *scratch);
/* One of these is a thread's own. Before the first utterance: lays the weights out, clears the gradients. */
void attn_train_subsampling_begin(attn_subsampling_scratch *s, const attn_embed *w);
/* After the last: adds the gradients. */
void attn_train_subsampling_end(const attn_subsampling_scratch *s, const attn_embed *dw);

/* y [frames, channels, bins[2]], as embed.out.0 takes it, from x [4 frames + 3, bins[0]]. */
void attn_train_subsampling(attn_real *y, const attn_real *x, const attn_subsampling_scratch *s,
                            const attn_embed *w, size_t frames);
/* dh [frames, d_model] is the gradient behind embed.out.0. */
void attn_train_subsampling_backward(const attn_real *dh, const attn_real *y, const attn_real *x,
                                     const attn_subsampling_scratch *s, const attn_embed *w, size_t frames);

#endif
