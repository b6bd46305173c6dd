/* One call on one utterance, as the implementations by matrix products see it. Private to impl/attention. */
#ifndef IMPL_ATTENTION_VIEW_H
#define IMPL_ATTENTION_VIEW_H

#include "attn/attention.h"

typedef struct attn_blas_view {
    const attn_layer *layer;
    const float *x;     /* [T, d_model] */
    float *out;         /* [T, d_model]: gets the contexts */
    size_t frames;      /* T */
    size_t held, valid; /* keys before this call; keys that count */
    /* rel_pos*: */
    const attn_sinusoids *sinusoids;
    long position; /* of the call's first query against key 0 */
    bool folds;    /* see positions.h */
} attn_blas_view;

/* Zero contexts of some heads, where there is no key. */
void attn_blas_clear(const attn_blas_view *view, size_t head0, size_t heads);

/* y [rows, d_k] = q [rows, d_k] + bias, q with rows ldq apart. */
void attn_blas_add_bias(float *y, const float *q, size_t ldq, const float *bias, size_t rows, size_t d_k);

#endif
