/* Softmax attention through matrix products, shared by the variants. Private to impl/attention.
 *
 * Queries go in tiles of rows, so that scores are [tile, L] for one head and never T x T. Contexts are
 * collected in the output buffer, which out_proj then transforms in place: no T x d_model workspace is
 * needed. Where keys, values or positions must be computed first, heads go in groups, so that these stay
 * within a few MiB too. */
#ifndef IMPL_ATTENTION_SOFTMAX_SOFTMAX_BLAS_H
#define IMPL_ATTENTION_SOFTMAX_SOFTMAX_BLAS_H

#include "base/arena.h"
#include "impl/attention/positions.h"
#include "impl/attention/projected.h"
#include "impl/attention/view.h"
#include "impl/kernels/kernels.h"

/* The view of utterance b, `held` frames having been in the cache before the call. */
attn_blas_view attn_blas_view_of(float *out, const attn_layer *layer, const attn_cache *cache,
                                 const attn_call *call, size_t b, size_t held);

/* Keys and values of query heads head0 .. head0 + heads - 1, whole groups of those that share a kv head
 * unless there is a `position`. Row j of a kv head is at its start + j stride bytes; kv heads are head_stride
 * bytes apart, from that of head0 on. attn_blas_attend takes floats alone. */
typedef struct attn_blas_keys {
    size_t head0, heads, group;
    const void *k, *v;
    size_t head_stride, stride;
    attn_element type;
    attn_projected_rows position; /* of these heads */
} attn_blas_keys;

/* Heads to work on at once so that `floats` for each of them stay within a few MiB; at least 1. */
size_t attn_blas_head_group(const attn_geometry *g, size_t floats);
/* Rows of queries to work on at once so that their scores stay near a core's cache. */
size_t attn_blas_tile(size_t frames, size_t keys);
/* Heads whose scores with a tile of queries do so together. */
size_t attn_blas_heads_together(size_t tile, size_t keys);

/* Layouts take upper bounds that grow with frames and keys, so that a workspace made for the largest call
 * serves every other. */

/* What is computed for a group of heads: at most `rows` rows [heads d_k] for each head of a group. */
float *attn_blas_group_layout(attn_arena *arena, const attn_geometry *g, size_t rows);
/* Most queries of a tile, in calls of at most `frames` queries. */
size_t attn_blas_tile_bound(size_t frames);
/* For each thread, scores of a tile: at most `rows` rows, in multiples of `unit`, of at most `tile` queries. */
float *attn_blas_scores_layout(attn_arena *arena, const attn_geometry *g, size_t rows, size_t tile,
                               size_t keys, size_t unit, size_t threads);

/* Projects x through w into a cache slot behind the frames held. */
void attn_blas_append(attn_cache *cache, size_t slot, const attn_linear *w, const attn_call *call,
                      float *rows, attn_map_function *linear);
float *attn_blas_append_layout(attn_arena *arena, size_t frames, size_t width);

/* Contexts of a group of heads into view->out. */
typedef struct attn_attend_buffers {
    float *q;      /* [tile, heads d_k] */
    float *sums;   /* [rows]: of the softmax; rows are queries, or heads that share keys */
    float *biased; /* [rows, d_k]: queries with u; rel_pos* */
    attn_position_buffers position;
    float *scores; /* laid out as attn_blas_score_rows says */
} attn_attend_buffers;
attn_attend_buffers attn_blas_attend_layout(attn_arena *arena, const attn_geometry *g, size_t frames,
                                            size_t keys);
void attn_blas_attend(const attn_blas_view *view, const attn_blas_keys *keys, const attn_attend_buffers *b);

/* Turns scores [rows, keys], `stride` apart, into weights that still lack the factor 1 / sum, and fills
 * sums. */
void attn_blas_softmax(float *scores, size_t stride, float *sums, size_t rows, size_t keys, float scale);

/* out_proj in place on [rows, d_model]. */
void attn_blas_project(float *out, const attn_layer *layer, size_t rows, float *copy,
                       attn_map_function *linear);
float *attn_blas_project_layout(attn_arena *arena, const attn_geometry *g, size_t rows);

#endif
