/* The plain reference that the softmax variants share: loops that read like the equations. Private to
 * impl/attention. */
#ifndef IMPL_ATTENTION_SCALAR_H
#define IMPL_ATTENTION_SCALAR_H

#include "attn/attention.h"

/* One call on one utterance, as the loops need it. */
typedef struct attn_scalar_view {
    const attn_layer *layer;
    const float *x;        /* [T, d_model] */
    float *out;            /* [T, d_model] */
    size_t frames;         /* T */
    size_t held, valid;    /* keys before this call; keys that count */
    const float *position; /* projected positions [count, d_model]; NULL without rel_pos* */
} attn_scalar_view;

/* Floats that attn_scalar_positions writes, and the FLOPs that come of it: every position of the call is
 * projected, however few the queries. */
size_t attn_scalar_position_floats(const attn_geometry *g, size_t frames, size_t keys);
double attn_scalar_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                  attn_path path);
/* Projects the positions of the call; returns `table`, or NULL without rel_pos*. Call it before the frames
 * are appended. */
const float *attn_scalar_positions(float *table, const attn_layer *layer, const attn_cache *cache,
                                   const attn_call *call);

/* The view of utterance b, `held` frames having been in the cache before the call. */
attn_scalar_view attn_scalar_view_of(float *out, const attn_layer *layer, const attn_cache *cache,
                                     const attn_call *call, size_t b, size_t held, const float *position);

/* For query i and one head: query [d_k] = q + u, and scores [valid] = (q + v) . position, or 0 without
 * rel_pos*. */
void attn_scalar_query(float *query, float *scores, const attn_scalar_view *view, const float *q, size_t i,
                       size_t head);

/* context = softmax((scores + query . k_j) scale) V over `keys` rows of `width` floats, `stride` apart; zero
 * without keys. scores ends as the weights. */
void attn_scalar_head(float *context, float *scores, const float *query, const float *k, const float *v,
                      size_t stride, size_t keys, size_t width, float scale);

/* Attention over explicit keys and values for every frame of the view: row j of kv head i is at i head_stride
 * + j stride, and `group` query heads share a kv head. Workspace: attn_scalar_rows_floats. */
void attn_scalar_rows(const attn_scalar_view *view, const float *k, const float *v, size_t head_stride,
                      size_t stride, size_t group, float *workspace);
size_t attn_scalar_rows_floats(const attn_geometry *g, size_t keys);

#endif
