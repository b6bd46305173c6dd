/* The plain reference that the softmax variants share: loops that read like the equations. Private to
 * impl/attention. */
#ifndef IMPL_ATTENTION_SCALAR_H
#define IMPL_ATTENTION_SCALAR_H

#include "attn/attention.h"
#include "base/arena.h"

/* One call on one utterance, as the loops need it. */
typedef struct attn_scalar_view {
    const attn_layer *layer;
    const float *x;        /* [T, d_model] */
    float *out;            /* [T, d_model] */
    size_t frames;         /* T */
    size_t held, valid;    /* keys before this call; keys that count */
    const float *position; /* projected positions [count, d_model]; NULL without rel_pos* */
} attn_scalar_view;

/* Appends x projected through w to a slot whose rows are heads apart. row is workspace of w->out floats. */
void attn_scalar_append(attn_cache *cache, size_t slot, const attn_linear *w, const attn_call *call,
                        float *row);

/* FLOPs of positions: every one of the call is projected, however few the queries. */
double attn_scalar_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                  attn_path path);
/* Projects the positions of the call; returns `table`, or NULL without rel_pos*. Call it before the frames
 * are appended. The table is attn_scalar_positions_layout's. */
const float *attn_scalar_positions(float *table, const attn_layer *layer, const attn_cache *cache,
                                   const attn_call *call);
float *attn_scalar_positions_layout(attn_arena *arena, const attn_geometry *g, size_t frames, size_t keys);

/* The view of utterance b, `held` frames having been in the cache before the call. */
attn_scalar_view attn_scalar_view_of(float *out, const attn_layer *layer, const attn_cache *cache,
                                     const attn_call *call, size_t b, size_t held, const float *position);

/* For query i and one head: query [d_k] = q + u, and scores [valid] = (q + v) . position, or 0 without
 * rel_pos*. */
void attn_scalar_query(float *query, float *scores, const attn_scalar_view *view, const float *q, size_t i,
                       size_t head);

/* Keys and values, of a cache or computed: row j of kv head i is at i head_stride + j stride bytes. */
typedef struct attn_scalar_keys {
    const void *k, *v;
    size_t head_stride, stride;
    attn_element type;
} attn_scalar_keys;

typedef struct attn_scalar_buffers {
    float *q, *context; /* [d_model] */
    float *query;       /* [d_k] */
    float *scores;      /* [keys] */
    float *row;         /* [d_k or d_c]: a cached row as floats */
    double *sums;       /* the same: of a context */
} attn_scalar_buffers;
/* For at most `keys` rows of at most `width` elements. */
attn_scalar_buffers attn_scalar_rows_layout(attn_arena *arena, const attn_geometry *g, size_t keys,
                                            size_t width);

/* context = softmax((b->scores + query . k_j) scale) V of one kv head over `keys` rows of `width` elements; zero
 * without keys. b->scores ends as the weights. */
void attn_scalar_head(float *context, const float *query, const attn_scalar_keys *kv, size_t head,
                      size_t keys, size_t width, float scale, const attn_scalar_buffers *b);

/* Attention over the keys and values for every frame of the view; `group` query heads share a kv head. */
void attn_scalar_rows(const attn_scalar_view *view, const attn_scalar_keys *kv, size_t group,
                      const attn_scalar_buffers *b);

#endif
