/* Attention in training: whole utterances, no cache. One row a variant: how keys and values come from the
 * input, or, for types without scores, how the context does. */
#ifndef TRAIN_ATTENTION_H
#define TRAIN_ATTENTION_H

#include "impl/train/passes/pass.h"

/* Relative positions of a pass, the same for every layer. */
typedef struct attn_train_positions {
    size_t count; /* 2 longest - 1 (rel_pos: longest - 1 .. -(longest - 1)) or longest (0, 1, ..); 0: none */
    attn_real *table; /* [count, d_model] sinusoids */
} attn_train_positions;

typedef struct attn_attention_tape {
    attn_real *q, *k, *v;   /* [rows, d_model], [rows, h_kv d_k] twice; linear: phi(q), phi(k) */
    attn_real *latent;      /* mla*: [rows, d_c] */
    attn_real *a_k, *a_v;   /* mla: [rows, d_model] between the two stages */
    attn_real *positions;   /* rel_pos*: [count, d_model] projected */
    attn_real *weights;     /* softmax types: [h, T, T] of each utterance, one after the other */
    attn_real *state;       /* linear: [utterances, h, d_k, d_k + 1]: S, then z */
    attn_real *denominator; /* linear: [rows, h] */
    attn_real *context;     /* [rows, d_model] */
    /* scratch */
    attn_real *dcontext, *dq, *dk, *dv, *dlatent, *da; /* as their namesakes */
    attn_real *scores, *shifted;                       /* [T, T] after dropout; rel_pos: [T, 2 T - 1] */
    attn_real *biased;                                 /* [T, d_k] */
    attn_real *dstate;                                 /* linear: [d_k, d_k + 1] */
    attn_real *dpositions;                             /* [count, d_model] */
} attn_attention_tape;

typedef struct attn_train_variant {
    const char *name; /* attention_type */
    void (*layout)(attn_attention_tape *tape, const attn_layer *w, const attn_train_pass *pass,
                   attn_layouts *at);
    /* q is there. Fills k and v (softmax types), or context. */
    void (*forward)(attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                    const attn_train_pass *pass);
    /* From dk and dv (softmax types), or dcontext to dq too; dx [rows, d_model] is added to. */
    void (*backward)(attn_real *dx, attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                     const attn_layer *dw, const attn_train_pass *pass);
} attn_train_variant;
extern const attn_train_variant attn_train_mha, attn_train_mla, attn_train_mla_simple, attn_train_gqa,
    attn_train_linear_attention;

/* Scores, weights and contexts of the softmax types. */
void attn_train_softmax_layout(attn_attention_tape *tape, const attn_layer *w,
                               const attn_train_positions *positions, const attn_train_pass *pass,
                               attn_layouts *at);
void attn_train_softmax(attn_attention_tape *tape, const attn_layer *w, const attn_train_positions *positions,
                        const attn_train_pass *pass);
void attn_train_softmax_backward(attn_attention_tape *tape, const attn_layer *w, const attn_layer *dw,
                                 const attn_train_positions *positions, const attn_train_pass *pass);

/* y = Attn(x), dropout after out_proj; y and x [rows, d_model]. */
void attn_train_attention_layout(attn_attention_tape *tape, const attn_layer *w,
                                 const attn_train_positions *positions, const attn_train_pass *pass,
                                 attn_layouts *at);
void attn_train_attention(attn_real *y, attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                          const attn_train_positions *positions, const attn_train_pass *pass);
/* dx is set; dy is overwritten. */
void attn_train_attention_backward(attn_real *dx, attn_real *dy, attn_attention_tape *tape,
                                   const attn_real *x, const attn_layer *w, const attn_layer *dw,
                                   const attn_train_positions *positions, const attn_train_pass *pass);

void attn_train_positions_layout(attn_train_positions *positions, const attn_train_pass *pass,
                                 attn_layouts *at);
void attn_train_positions_fill(attn_train_positions *positions, const attn_train_pass *pass);

#endif
