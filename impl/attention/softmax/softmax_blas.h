/* Softmax attention through matrix products, shared by the variants. Private to impl/attention.
 *
 * Queries go in tiles of rows, so that scores are [tile, L] for one head and never T x T. Contexts are
 * collected in the output buffer, which out_proj then transforms in place: no T x d_model workspace is
 * needed. Where keys, values or positions must be computed first, heads go in groups, so that these stay
 * within a few MiB too. */
#ifndef IMPL_ATTENTION_SOFTMAX_SOFTMAX_BLAS_H
#define IMPL_ATTENTION_SOFTMAX_SOFTMAX_BLAS_H

#include "attn/attention.h"

/* One call on one utterance. */
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
attn_blas_view attn_blas_view_of(float *out, const attn_layer *layer, const attn_cache *cache,
                                 const attn_call *call, size_t b, size_t held);

/* Keys and values of query heads head0 .. head0 + heads - 1, whole groups of those that share a kv head
 * unless `position` is set. Row j of a kv head is at its start + j stride; kv heads are head_stride apart,
 * from that of head0 on. */
typedef struct attn_blas_keys {
    size_t head0, heads, group;
    const float *k, *v;
    size_t head_stride, stride;
    const float *position; /* projected positions of these heads, [count, heads d_k]; NULL when none are */
} attn_blas_keys;

/* Heads to work on at once so that `floats` for each of them stay within a few MiB; at least 1. */
size_t attn_blas_head_group(const attn_geometry *g, size_t floats);
/* Rows of queries to work on at once so that their scores stay near a core's cache. */
size_t attn_blas_tile(size_t frames, size_t keys);

/* Upper bounds of these for all calls of at most so many frames and keys, so that a workspace made for the
 * largest call serves every other: floats of a group's computed rows, queries of a tile, and rows times keys
 * of a tile of at most so many rows in multiples of `unit`. */
size_t attn_blas_group_bound(const attn_geometry *g, size_t floats);
size_t attn_blas_tile_bound(size_t frames);
size_t attn_blas_scores_bound(size_t rows, size_t keys, size_t unit);

/* Projects x through w into a cache slot behind the frames held. */
void attn_blas_append(attn_cache *cache, size_t slot, const attn_linear *w, const attn_call *call,
                      float *workspace);
size_t attn_blas_append_floats(size_t frames, size_t width);

/* Contexts of a group of heads into view->out. */
void attn_blas_attend(const attn_blas_view *view, const attn_blas_keys *keys, float *workspace);
size_t attn_blas_attend_floats(const attn_geometry *g, size_t frames, size_t keys, size_t heads);

/* Zero contexts, where there is no key. */
void attn_blas_clear(const attn_blas_view *view, size_t head0, size_t heads);

/* Turns scores [rows, keys], `stride` apart, into weights that still lack the factor 1 / sum, and fills sums.
 */
void attn_blas_softmax(float *scores, size_t stride, float *sums, size_t rows, size_t keys, float scale);

/* y [rows, d_k] = q [rows, d_k] + bias, q with rows ldq apart. */
void attn_blas_add_bias(float *y, const float *q, size_t ldq, const float *bias, size_t rows, size_t d_k);

/* out_proj in place on [rows, d_model]. */
void attn_blas_project(float *out, const attn_layer *layer, size_t rows, float *workspace);
size_t attn_blas_project_floats(const attn_geometry *g, size_t rows);

#endif
