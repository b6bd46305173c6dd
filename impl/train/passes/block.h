/* A block with its residuals: Conformer, Branchformer, or bare attention. */
#ifndef TRAIN_BLOCK_H
#define TRAIN_BLOCK_H

#include "impl/train/passes/attention.h"

typedef struct attn_block_tape {
    attn_real *normed; /* what attention sees */
    attn_norm_tape norm_mha, norm_final;
    attn_attention_tape attention;
    attn_feed_forward_tape macaron, feed_forward;
    attn_convolution_tape convolution;
    attn_cgmlp_tape cgmlp;
    attn_merge_tape merge;
    attn_real *x1, *x2;                        /* Branchformer: what the branches gave */
    attn_real *attended, *dnormed, *dx1, *dx2; /* scratch */
} attn_block_tape;

void attn_train_block_layout(attn_block_tape *tape, const attn_block *w,
                             const attn_train_positions *positions, const attn_train_pass *pass,
                             attn_layouts *at);
/* x [rows, d_model] in place; pass->layer is the block's number. */
void attn_train_block(attn_real *x, attn_block_tape *tape, const attn_block *w,
                      const attn_train_positions *positions, const attn_train_pass *pass);
/* dx in place: at the output, then at the input. */
void attn_train_block_backward(attn_real *dx, attn_block_tape *tape, const attn_block *w,
                               const attn_block *dw, const attn_train_positions *positions,
                               const attn_train_pass *pass);

#endif
