/* One pass over a batch: what every part sees, and where its memory comes from.
 *
 * A batch is ragged: the valid frames of its utterances stand one after the other, without padding, as rows of
 * one matrix. So padding cannot contribute to anything, and BatchNorm's statistics are those of the valid
 * frames.
 *
 * A part has a tape: what its forward function leaves for its backward function. Its layout function takes the
 * tape's pieces from `keep`, and what only one function needs while it runs from `scratch`, where parts that
 * do not run at the same time share memory. A gradient structure is the weights' own type: its pointers lead to
 * sums that are added to. */
#ifndef TRAIN_PASS_H
#define TRAIN_PASS_H

#include "impl/encoder/encoder.h"
#include "impl/train/passes/real.h"
#include "impl/train/passes/rows.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct attn_ragged {
    size_t utterances, rows, longest;
    size_t squares; /* sum of the utterances' rows squared */
    /* [utterances + 1]: utterance u has rows start[u] .. start[u + 1] - 1; NULL in a dry run. */
    size_t *start;
} attn_ragged;

static inline size_t attn_ragged_length(const attn_ragged *rows, size_t u) {
    return rows->start[u + 1] - rows->start[u];
}

/* Where dropout strikes; a layer's sites follow those of the layer before. */
typedef enum attn_dropout_site {
    ATTN_DROP_EMBED, /* of no layer: after the input layer */
    ATTN_DROP_MACARON_INNER,
    ATTN_DROP_MACARON,
    ATTN_DROP_SCORES,
    ATTN_DROP_ATTENTION,
    ATTN_DROP_CONVOLUTION, /* cgMLP's, in a Branchformer */
    ATTN_DROP_INNER,       /* of the second feed-forward module; of cgMLP before its last projection */
    ATTN_DROP_FEED_FORWARD,
    ATTN_DROP_MERGED,
    ATTN_DROP_POSITIONS, /* of no layer: the sinusoids of relative positions */
    ATTN_DROP_SITES
} attn_dropout_site;

typedef struct attn_train_pass {
    const attn_config *config;
    attn_ragged input, rows; /* before and after the input layer */
    double dropout;          /* probability; 0: none */
    uint64_t seed, step;     /* of dropout */
    size_t layer;
    bool fixed_statistics; /* BatchNorm by its running statistics */
} attn_train_pass;

typedef struct attn_layouts {
    attn_arena keep, scratch;
} attn_layouts;

/* ---- The parts ---- */

/* y = x W^T + b */
void attn_train_linear(attn_real *y, const attn_real *x, const attn_linear *w, size_t rows);
/* dW += dy^T x, db += columns of dy; dx = dy W + beta dx (dx may be NULL: not wanted). */
void attn_train_linear_backward(attn_real *dx, attn_real beta, const attn_real *dy, const attn_real *x,
                                const attn_linear *w, const attn_linear *dw, size_t rows);

typedef struct attn_norm_tape {
    attn_real *normal;          /* [rows, width]: x without its mean, over its deviation */
    attn_real *scale;           /* 1 / deviation: [rows]; of BatchNorm [width] */
    attn_real *mean, *variance; /* BatchNorm: of the batch, [width] */
    attn_real *sums;            /* scratch: BatchNorm [2, width], LayerNorm [threads - 1, 2, width] */
} attn_norm_tape;
void attn_train_layer_norm_layout(attn_norm_tape *tape, size_t rows, size_t width, attn_layouts *at);
void attn_train_layer_norm(attn_real *y, attn_norm_tape *tape, const attn_real *x, const attn_norm *norm,
                           size_t rows, double eps);
void attn_train_layer_norm_backward(attn_real *dx, const attn_real *dy, const attn_norm_tape *tape,
                                    const attn_norm *norm, const attn_norm *dnorm, size_t rows);
void attn_train_batch_norm_layout(attn_norm_tape *tape, size_t rows, size_t width, attn_layouts *at);
void attn_train_batch_norm(attn_real *y, attn_norm_tape *tape, const attn_real *x, const attn_norm *norm,
                           const attn_train_pass *pass);
void attn_train_batch_norm_backward(attn_real *dx, const attn_real *dy, const attn_norm_tape *tape,
                                    const attn_norm *norm, const attn_norm *dnorm,
                                    const attn_train_pass *pass);

/* x [n] = x / (1 - p) where the bits of (seed, step, site, lane, element) say so, else 0: the same function
 * takes the gradient back. */
void attn_train_dropout(attn_real *x, size_t n, attn_dropout_site site, size_t lane,
                        const attn_train_pass *pass);

typedef struct attn_feed_forward_tape {
    attn_norm_tape norm;
    attn_real *normed, *wide, *inner; /* [rows, d_model], [rows, units] before and after the activation */
    attn_real *out, *dinner;          /* scratch: [rows, d_model], [rows, units] */
} attn_feed_forward_tape;
void attn_train_feed_forward_layout(attn_feed_forward_tape *tape, const attn_train_pass *pass,
                                    attn_layouts *at);
void attn_train_feed_forward(attn_real *x, attn_feed_forward_tape *tape, const attn_feed_forward *w,
                             bool macaron, const attn_train_pass *pass);
void attn_train_feed_forward_backward(attn_real *dx, const attn_feed_forward_tape *tape,
                                      const attn_feed_forward *w, const attn_feed_forward *dw, bool macaron,
                                      const attn_train_pass *pass);

/* A depthwise convolution over each utterance by itself; its rows have kernel - 1 more of each. */
typedef struct attn_depthwise_tape {
    attn_real *padded;       /* [rows + utterances (kernel - 1), channels] */
    attn_real *dpadded;      /* scratch, the same */
    attn_real *taps, *dtaps; /* scratch [kernel, channels] */
} attn_depthwise_tape;
void attn_train_depthwise_layout(attn_depthwise_tape *tape, size_t channels, const attn_train_pass *pass,
                                 attn_layouts *at);
/* Where the rows of utterance u begin: `left` rows before the first frame come first. */
size_t attn_train_padded_start(const attn_train_pass *pass, size_t u);
/* Fills tape->padded: zeros (`before` NULL) or the row `before` on the left, x, zeros on the right. */
void attn_train_depthwise_pad(attn_depthwise_tape *tape, const attn_real *x, const attn_real *before,
                              size_t channels, const attn_train_pass *pass);
void attn_train_depthwise(attn_real *y, attn_depthwise_tape *tape, const attn_depthwise *w,
                          const attn_train_pass *pass);
/* dx = what came back to the frames; dbefore (may be NULL) += what came back to the rows on the left. */
void attn_train_depthwise_backward(attn_real *dx, attn_real *dbefore, const attn_real *dy,
                                   attn_depthwise_tape *tape, const attn_depthwise *w,
                                   const attn_depthwise *dw, const attn_train_pass *pass);

typedef struct attn_convolution_tape {
    attn_norm_tape pre_norm, norm;
    attn_real *normed, *wide; /* [rows, d_model], [rows, 2 d_model] before the GLU */
    attn_depthwise_tape depthwise;
    attn_real *convolved, *activated;  /* [rows, d_model] after the norm, after swish */
    attn_real *first, *second, *dwide; /* scratch [rows, d_model] twice, [rows, 2 d_model] */
    attn_real *edge, *dedge;           /* scratch [d_model], [3 d_model]: causal, what comes before */
} attn_convolution_tape;
void attn_train_convolution_layout(attn_convolution_tape *tape, const attn_train_pass *pass,
                                   attn_layouts *at);
void attn_train_convolution(attn_real *x, attn_convolution_tape *tape, const attn_convolution *w,
                            const attn_train_pass *pass);
void attn_train_convolution_backward(attn_real *dx, attn_convolution_tape *tape, const attn_convolution *w,
                                     const attn_convolution *dw, const attn_train_pass *pass);

typedef struct attn_cgmlp_tape {
    attn_norm_tape pre_norm, norm;
    attn_real *normed, *wide, *kept; /* [rows, d_model], [rows, units] before GELU, [rows, half]: r */
    attn_real *active;               /* scratch [rows, units] after GELU */
    attn_real *gate, *normal_gate;   /* scratch [rows, half]: g, and normalised */
    attn_depthwise_tape depthwise;
    attn_real *convolved, *gating, *product; /* [rows, half]: gating is convolved where there is no linear */
    attn_real *dproduct, *dnormed;           /* scratch [rows, half], [rows, d_model] */
} attn_cgmlp_tape;
void attn_train_cgmlp_layout(attn_cgmlp_tape *tape, const attn_cgmlp *w, const attn_train_pass *pass,
                             attn_layouts *at);
void attn_train_cgmlp(attn_real *y, attn_cgmlp_tape *tape, const attn_real *x, const attn_cgmlp *w,
                      const attn_train_pass *pass);
void attn_train_cgmlp_backward(attn_real *dx, const attn_real *dy, attn_cgmlp_tape *tape, const attn_cgmlp *w,
                               const attn_cgmlp *dw, const attn_train_pass *pass);

typedef struct attn_merge_tape {
    attn_real *merged;                /* [rows, d_model], or [rows, 2 d_model] when concatenated */
    attn_real *weights;               /* [utterances, 2] */
    attn_real *shares;                /* learned_ave: [2, rows], softmax over an utterance's frames */
    attn_real *means;                 /* learned_ave: [2, utterances, d_model] */
    attn_real *out, *dmerged, *dmean; /* scratch [rows, d_model], as merged, [d_model] */
} attn_merge_tape;
void attn_train_merge_layout(attn_merge_tape *tape, const attn_train_pass *pass, attn_layouts *at);
void attn_train_merge(attn_real *x, attn_merge_tape *tape, const attn_real *x1, const attn_real *x2,
                      const attn_merger *w, const attn_train_pass *pass);
/* dx is the gradient at the output, and stays that at x; dx1 and dx2 are set. */
void attn_train_merge_backward(attn_real *dx1, attn_real *dx2, const attn_real *dx, attn_merge_tape *tape,
                               const attn_real *x1, const attn_real *x2, const attn_merger *w,
                               const attn_merger *dw, const attn_train_pass *pass);

#endif
