/* What comes before the blocks: global_cmvn, the input layer, sqrt(d_model), positions, dropout. */
#ifndef TRAIN_EMBED_H
#define TRAIN_EMBED_H

#include "impl/train/passes/embed/subsampling.h"
#include "impl/train/passes/pass.h"

typedef struct attn_embed_tape {
    attn_real *x;                          /* [input rows, input_dim] after global_cmvn */
    attn_real *convolved;                  /* conv2d: [rows, d_model bins] */
    attn_subsampling_scratch *subsampling; /* conv2d: one a thread */
    attn_norm_tape norm;
    attn_real *linear, *dlinear; /* scratch [rows, d_model] where there is a norm */
} attn_embed_tape;

void attn_train_embed_layout(attn_embed_tape *tape, const attn_embed *w, const attn_train_pass *pass,
                             attn_layouts *at);
/* h [rows, d_model] from x [utterances, frames, input_dim] with padding. */
void attn_train_embed(attn_real *h, attn_embed_tape *tape, const float *x, size_t frames, const attn_embed *w,
                      const attn_train_pass *pass);
/* dh is overwritten. */
void attn_train_embed_backward(attn_real *dh, attn_embed_tape *tape, const attn_embed *w,
                               const attn_embed *dw, const attn_train_pass *pass);

#endif
