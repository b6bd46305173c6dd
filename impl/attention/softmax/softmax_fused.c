#include "impl/attention/softmax/softmax_fused.h"

#include "attn/size.h"
#include "impl/attention/variant.h"
#include "impl/kernels/attend.h"

#include <math.h>

const attn_way attn_way_blas = {{attn_linear_blas, attn_fold_blas}, false};
const attn_way attn_way_fused = {{attn_linear_fast, attn_fold_fast}, true};

static size_t heads_sharing(const attn_geometry *g) {
    return g->num_kv_heads ? g->num_heads / g->num_kv_heads : 1;
}

/* With positions, a tile's scores with the heads that share keys stay near a core's cache. */
size_t attn_fused_tile(const attn_geometry *g, size_t frames, size_t keys) {
    size_t sharing = heads_sharing(g);
    if (!attn_has_rel_pos(g))
        return attn_blas_tile_bound(frames);
    return attn_smaller(frames, attn_larger(1, attn_blas_tile(frames * sharing, keys) / sharing));
}

attn_fused_buffers attn_fused_attend_layout(attn_arena *arena, const attn_geometry *g, size_t frames,
                                            size_t keys) {
    size_t tile = attn_blas_tile_bound(frames), sharing = heads_sharing(g), d_k = attn_head_dim(g);
    size_t rows = attn_larger(sharing, attn_blas_tile_bound(attn_times(frames, g->num_heads)));
    attn_fused_buffers b = {.q = attn_arena_floats(arena, tile, g->d_model)};
    b.kernel = attn_arena_floats(arena, 1, attn_attend_floats(d_k, d_k));
    if (!attn_has_rel_pos(g))
        return b;
    b.biased = attn_arena_floats(arena, rows, d_k);
    b.position = attn_blas_position_layout(arena, g, rows, tile);
    b.scores = attn_blas_scores_layout(arena, g, rows, tile, keys, sharing);
    return b;
}

/* `sharing` heads from the ith of the group on, which have the same keys, for queries i0 .. i0 + m - 1. */
static void attend_shared(const attn_blas_view *view, const attn_blas_keys *keys, size_t i, size_t sharing,
                          size_t i0, size_t m, const float *scores, size_t stride,
                          const attn_fused_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), width = keys->heads * d_k, head = keys->head0 + i;
    size_t kv = (head / keys->group - keys->head0 / keys->group) * keys->head_stride;
    attn_attend_call call = {.out = view->out + i0 * g->d_model + head * d_k,
                             .out_strides = {.query = g->d_model, .head = d_k},
                             .q = b->q + i * d_k,
                             .q_strides = {.query = width, .head = d_k},
                             .queries = m,
                             .heads = sharing,
                             .k = (const char *)keys->k + kv,
                             .v = (const char *)keys->v + kv,
                             .k_stride = keys->stride,
                             .v_stride = keys->stride,
                             .keys = view->valid,
                             .k_width = d_k,
                             .v_width = d_k,
                             .type = keys->type,
                             .scale = 1.0f / sqrtf((float)d_k)};
    if (attn_has_rel_pos(g)) {
        for (size_t s = 0; s < sharing; s++)
            attn_blas_add_bias(b->biased + s * m * d_k, call.q + s * d_k, width,
                               view->layer->pos_bias_u + (head + s) * d_k, m, d_k);
        call.q = b->biased;
        call.q_strides = (attn_row_strides){.query = d_k, .head = m * d_k};
        call.position = scores;
        call.position_strides = (attn_row_strides){.query = stride, .head = m * stride};
    }
    attn_attend()->attend(&call, b->kernel);
}

static void attend_tile(const attn_blas_view *view, const attn_blas_keys *keys, size_t together, size_t i0,
                        size_t m, const attn_fused_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), width = keys->heads * d_k, sharing;
    attn_score_rows rows = attn_blas_score_rows(view, m);
    for (size_t first = 0; first < keys->heads; first += together) {
        size_t end = attn_smaller(first + together, keys->heads);
        if (attn_has_rel_pos(g))
            attn_blas_position_scores(b->scores, view, b->q + first * d_k, width,
                                      keys->position ? keys->position + first * d_k : NULL, width,
                                      keys->head0 + first, end - first, i0, m, &b->position);
        for (size_t i = first; i < end; i += sharing) {
            sharing = attn_smaller(keys->group - (keys->head0 + i) % keys->group, end - i);
            const float *scores =
                attn_has_rel_pos(g) ? b->scores + rows.start + (i - first) * m * rows.stride : NULL;
            attend_shared(view, keys, i, sharing, i0, m, scores, rows.stride, b);
        }
    }
}

/* Heads whose positions are scored together: few queries need many of them for a product to be fast. */
static size_t heads_together(const attn_blas_view *view, const attn_blas_keys *keys, size_t tile) {
    if (!attn_has_rel_pos(&view->layer->geometry))
        return keys->heads;
    size_t fit = view->folds ? attn_blas_heads_together(tile, view->held + view->frames) : 0;
    return attn_smaller(keys->heads, attn_larger(keys->group, fit));
}

void attn_fused_attend(const attn_blas_view *view, const attn_blas_keys *keys, const attn_fused_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), tile = attn_fused_tile(g, view->frames, view->held + view->frames);
    if (!view->valid || !view->frames) {
        attn_blas_clear(view, keys->head0, keys->heads);
        return;
    }
    size_t together = heads_together(view, keys, tile);
    attn_linear q_proj = attn_linear_rows(&view->layer->q_proj, keys->head0 * d_k, keys->heads * d_k);
    for (size_t i0 = 0; i0 < view->frames; i0 += tile) {
        size_t m = attn_smaller(tile, view->frames - i0);
        attn_linear_fast(b->q, q_proj.out, view->x + i0 * g->d_model, g->d_model, &q_proj, m);
        attend_tile(view, keys, together, i0, m, b);
    }
}
