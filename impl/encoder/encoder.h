/* The parts of an encoder: their weights, and one function each. Private to impl/. Pure: no allocation, no
 * failure.
 *
 *   Conformer     Gulati et al. 2020, section 2     x + FFN/2, x + Attn, x + Conv, x + FFN/2, LayerNorm
 *   Branchformer  Peng et al. 2022, section 3       x + Merge(Attn, cgMLP), LayerNorm
 *
 * Frames beyond an utterance's length never reach the others: convolutions see zeros there, pooling and
 * attention nothing. What the padded frames themselves become is unspecified (finite). */
#ifndef IMPL_ENCODER_ENCODER_H
#define IMPL_ENCODER_ENCODER_H

#include "attn/model.h"
#include "attn/size.h"
#include "base/arena.h"
#include "impl/encoder/structure.h"
#include "impl/encoder/walk.h"

#include <stdbool.h>

/* One filter a channel. */
typedef struct attn_depthwise {
    float *weight, *bias; /* [channels, 1, kernel], [channels] */
    size_t channels, kernel;
} attn_depthwise;

typedef struct attn_feed_forward {
    attn_norm norm;       /* norm_ff */
    attn_linear w_1, w_2; /* [ff_units, d_model], [d_model, ff_units] */
} attn_feed_forward;

typedef struct attn_convolution {
    attn_norm pre_norm;          /* norm_conv */
    attn_linear pointwise_conv1; /* [2 d_model, d_model] */
    attn_depthwise depthwise_conv;
    attn_norm norm;
    attn_linear pointwise_conv2; /* [d_model, d_model] */
} attn_convolution;

typedef struct attn_cgmlp {
    attn_norm pre_norm;        /* norm_mlp */
    attn_linear channel_proj1; /* [units, d_model]: the gated half, then the gate */
    attn_norm norm;            /* csgu.*: [units / 2] */
    attn_depthwise conv;
    attn_linear linear; /* [units / 2, units / 2], only when the checkpoint has it */
    bool has_linear;
    attn_linear channel_proj2; /* [d_model, units / 2] */
} attn_cgmlp;

typedef struct attn_merger {
    attn_linear pooling_proj[2], weight_proj[2]; /* learned_ave: [1, d_model] for each branch */
    attn_linear merge_proj;                      /* [d_model, 2 d_model] (concat) or [d_model, d_model] */
} attn_merger;

typedef struct attn_block {
    attn_norm norm_mha, norm_final;
    attn_layer attention;
    attn_feed_forward feed_forward_macaron, feed_forward; /* Conformer */
    attn_convolution convolution;
    attn_cgmlp cgmlp; /* Branchformer */
    attn_merger merger;
} attn_block;

/* The layer before the blocks, from input_dim features to d_model. */
typedef struct attn_embed {
    float *conv_weight[2], *conv_bias[2]; /* conv2d: [d_model, 1, 3, 3], [d_model, d_model, 3, 3] */
    size_t bins[3];                       /* conv2d: features, after the first, after the second */
    attn_linear out;                      /* embed.out.0 */
    attn_norm norm; /* embed.out.1 of a linear input layer, only when the checkpoint has it */
    bool has_norm;
    float *cmvn_mean, *cmvn_istd; /* [input_dim], global_cmvn.*, only when the checkpoint has them */
    bool has_cmvn;
} attn_embed;

int attn_embed_tensors(const attn_walk *walk, attn_embed *embed, const attn_config *config);
int attn_block_tensors(const attn_walk *walk, attn_block *block, const attn_config *config);

/* What of a block's weights is computed once, before any call. */
typedef struct attn_packed_block {
    float *taps; /* [kernel, channels] of the depthwise convolution: channels are the lanes of a vector */
    float *scale, *shift; /* [d_model]: BatchNorm by its running statistics is one multiply-add a channel */
} attn_packed_block;
attn_packed_block attn_block_pack_layout(attn_arena *arena, const attn_config *config);
void attn_block_pack(attn_packed_block *packed, const attn_block *block, const attn_config *config);

/* The functions behind the parts: plain loops, or vectors and matrix products. */
typedef struct attn_encoder_ops {
    bool packs; /* subsample wants `packed` */
    void (*linear)(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows);
    /* y [rows, width] = (x - mean) / sqrt(variance + eps) weight + bias over each row; y may be x. */
    void (*layer_norm)(float *y, const float *x, const attn_norm *norm, size_t rows, double eps);
    void (*swish)(float *x, size_t count);                            /* x sigmoid(x) */
    void (*gelu)(float *x, size_t count);                             /* x (1 + erf(x / sqrt 2)) / 2 */
    void (*glu)(float *y, const float *x, size_t rows, size_t width); /* a sigmoid(b), x [rows, a | b] */
    void (*multiply)(float *y, const float *x, size_t count);
    void (*add_scaled)(float *y, const float *x, size_t count, float factor);
    /* y [rows, channels] from x [rows + kernel - 1, channels]. */
    void (*depthwise)(float *y, const float *x, const attn_depthwise *w, size_t rows, const float *taps);
    /* Both 3x3 stride-2 convolutions with ReLU: y [rows, d_model bins[2]] from x [4 rows + 3, bins[0]].
     * `packed` is attn_subsampling_pack's. */
    void (*subsample)(float *y, const float *x, const attn_embed *embed, size_t rows, const float *packed,
                      attn_arena arena);
    size_t (*subsample_peak)(const attn_embed *embed, size_t rows, attn_arena arena);
} attn_encoder_ops;
extern const attn_encoder_ops attn_encoder_scalar, attn_encoder_blas, attn_encoder_fast;

/* Weights of the convolutions as the fast subsample wants them. */
size_t attn_subsampling_packed_floats(const attn_embed *embed);
void attn_subsampling_pack(float *packed, const attn_embed *embed);

/* What a call is: B utterances of `frames` frames side by side. */
typedef struct attn_encoder_call {
    const attn_config *config;
    const attn_encoder_ops *ops;
    const attn_impl *attention;
    attn_call attend;     /* of the attention layers, but for x */
    size_t batch, frames; /* frames after subsampling */
    const size_t *valid;  /* [B] how many of the frames are not padding */
    attn_part_hook *part;
    void *part_context;
    attn_input_hook *input;
    void *input_context;
    size_t layer;           /* the block's number */
    size_t attention_bytes; /* workspace of the attention layer */
} attn_encoder_call;

/* What a block keeps from call to call. */
typedef struct attn_block_state {
    attn_cache *kv;
    /* Causal convolution: its newest kernel - 1 inputs [B, kernel - 1, width]; NULL: zeros, not kept. */
    float *conv;
    float *gates;                    /* Conformer, with `conv`: GLU(W_1 x) of these inputs, computed once */
    const attn_packed_block *packed; /* of the block; no call changes it */
} attn_block_state;

/* Each part lays out its workspace in the arena that it is given, a copy: what it takes is given back when it
 * returns. ..._peak is the same layout measured: bytes that a dry arena reaches in a call of these sizes. Of
 * a call it reads config, ops, batch, frames and attention_bytes. A workspace for the largest call serves
 * every smaller one. */

/* Each adds its part to x [B, frames, d_model]. */
void attn_conformer_block(float *x, const attn_block *block, const attn_block_state *state,
                          const attn_encoder_call *call, attn_arena arena);
size_t attn_conformer_peak(const attn_encoder_call *call, attn_arena arena);
void attn_branchformer_block(float *x, const attn_block *block, const attn_block_state *state,
                             const attn_encoder_call *call, attn_arena arena);
size_t attn_branchformer_peak(const attn_encoder_call *call, attn_arena arena);

void attn_feed_forward_add(float *x, float factor, const attn_feed_forward *w, const attn_encoder_call *call,
                           attn_arena arena);
size_t attn_feed_forward_peak(const attn_encoder_call *call, attn_arena arena);
void attn_convolution_add(float *x, const attn_convolution *w, const attn_block_state *state,
                          const attn_encoder_call *call, attn_arena arena);
/* The first `rows` of attn_block_state.gates in a stream: those of zeros. */
void attn_convolution_gate_zeros(float *gates, size_t rows, const attn_convolution *w,
                                 const attn_encoder_ops *ops);
size_t attn_convolution_peak(const attn_encoder_call *call, attn_arena arena);
/* y = Attn(LayerNorm x) and y = cgMLP(LayerNorm x), y [B, frames, d_model]. */
void attn_self_attention(float *y, const float *x, const attn_block *block, attn_cache *kv,
                         const attn_encoder_call *call, attn_arena arena);
size_t attn_self_attention_peak(const attn_encoder_call *call, attn_arena arena);
void attn_cgmlp_forward(float *y, const float *x, const attn_cgmlp *w, const attn_block_state *state,
                        const attn_encoder_call *call, attn_arena arena);
size_t attn_cgmlp_peak(const attn_encoder_call *call, attn_arena arena);
/* x + Merge(x1, x2). */
void attn_merge_add(float *x, const float *x1, const float *x2, const attn_merger *w,
                    const attn_encoder_call *call, attn_arena arena);
size_t attn_merge_peak(const attn_encoder_call *call, attn_arena arena);
/* y [rows, d_model] = the conv2d input layer over x [4 rows + 3, input_dim]. */
void attn_subsampling(float *y, const float *x, const attn_embed *embed, size_t rows,
                      const attn_encoder_ops *ops, const float *packed, attn_arena arena);
size_t attn_subsampling_peak(const attn_embed *embed, size_t rows, const attn_encoder_ops *ops,
                             attn_arena arena);

enum { ATTN_TILE_ROWS = 512 }; /* rows that a part works on together, so that wide layers stay small */

static inline void attn_mark(attn_part_hook *hook, void *context, attn_part part) {
#ifdef ATTN_NO_PARTS
    (void)hook, (void)context, (void)part;
#else
    if (hook)
        hook(context, part);
#endif
}

static inline void attn_mark_part(const attn_encoder_call *call, attn_part part) {
    attn_mark(call->part, call->part_context, part);
}

/* Zero frames that a depthwise convolution sees before the first frame of a call, and after the last. */
static inline size_t attn_left_context(const attn_config *config) {
    return config->causal ? config->conv_kernel_size - 1 : (config->conv_kernel_size - 1) / 2;
}
static inline size_t attn_right_context(const attn_config *config) {
    return config->conv_kernel_size - 1 - attn_left_context(config);
}

/* Channels of the cache of a causal convolution: its module's input, or the gate half of CSGU. */
size_t attn_conv_cache_width(const attn_config *config);

/* Drops the oldest of the `kept` rows in the cache and appends `count` new ones. */
void attn_conv_cache_push(float *cache, size_t kept, size_t width, const float *rows, size_t count);

#endif
