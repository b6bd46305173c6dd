#include "impl/attention/softmax/softmax_fused.h"

#include "attn/size.h"
#include "attn/threads.h"
#include "impl/attention/parts.h"
#include "impl/attention/variant.h"
#include "impl/kernels/attend_shared.h"

#include <math.h>

const attn_way attn_way_blas = {{attn_linear_blas, attn_fold_blas}, false};
const attn_way attn_way_fused = {{attn_linear_fast, attn_fold_fast}, true};

/* With positions, a tile's scores with the heads that share keys stay near a core's cache. */
size_t attn_fused_tile(const attn_geometry *g, size_t frames, size_t keys) {
    size_t sharing = g->num_heads / attn_kv_heads(g);
    if (!attn_has_rel_pos(g))
        return attn_blas_tile_bound(frames);
    return attn_smaller(frames, attn_larger(1, attn_blas_tile(frames * sharing, keys) / sharing));
}

attn_fused_buffers attn_fused_attend_layout(attn_arena *arena, const attn_geometry *g, size_t frames,
                                            size_t keys, size_t threads) {
    size_t tile = attn_blas_tile_bound(frames), sharing = g->num_heads / attn_kv_heads(g),
           d_k = attn_head_dim(g);
    size_t rows = attn_larger(sharing, attn_blas_tile_bound(attn_times(frames, g->num_heads)));
    attn_fused_buffers b = {.q = attn_arena_floats(arena, tile, g->d_model)};
    b.kernel = attn_arena_floats(arena, 1, attn_attend_shared_floats(d_k, d_k, threads));
    if (!attn_has_rel_pos(g))
        return b;
    b.biased = attn_arena_floats(arena, attn_times(rows, threads), d_k);
    b.position = attn_blas_position_layout(arena, g, rows, tile, threads);
    b.scores = attn_blas_scores_layout(arena, g, rows, tile, keys, sharing, threads);
    return b;
}

/* Queries i0 .. i0 + m - 1 of `count` heads from the group's number `first` on. */
typedef struct tile_heads {
    const attn_blas_view *view;
    const attn_blas_keys *keys;
    const attn_fused_buffers *b;
    size_t i0, m, first, count;
    attn_score_rows rows;
} tile_heads;

/* Queries with u, and their scores with the positions: a part has some of the heads. */
static void score_part(void *context, size_t part, size_t parts) {
    const tile_heads *t = context;
    const attn_geometry *g = &t->view->layer->geometry;
    size_t d_k = attn_head_dim(g), width = t->keys->heads * d_k;
    attn_range heads = attn_part_range(t->count, 1, part, parts);
    attn_position_buffers own = attn_blas_position_buffers_of(&t->b->position, part);
    if (heads.begin == heads.end)
        return;
    size_t first = t->first + heads.begin;
    for (size_t i = heads.begin; i < heads.end; i++)
        attn_blas_add_bias(t->b->biased + i * t->m * d_k, t->b->q + (t->first + i) * d_k, width,
                           t->view->layer->pos_bias_u + (t->keys->head0 + t->first + i) * d_k, t->m, d_k);
    attn_blas_position_scores(t->b->scores + heads.begin * t->m * t->rows.stride, t->view,
                              t->b->q + first * d_k, width, attn_projected_heads(t->keys->position, first),
                              t->keys->head0 + first, heads.end - heads.begin, t->i0, t->m, &own);
}

/* `count` times `sharing` heads from the tile's ith on; those that share have the same keys. */
static void attend_heads(const tile_heads *t, size_t i, size_t sharing, size_t count) {
    const attn_blas_view *view = t->view;
    const attn_blas_keys *keys = t->keys;
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), width = keys->heads * d_k, head = keys->head0 + t->first + i, m = t->m;
    size_t kv = (head / keys->group - keys->head0 / keys->group) * keys->head_stride;
    attn_attend_heads all = {.call = {.out = view->out + t->i0 * g->d_model + head * d_k,
                                      .out_strides = {.query = g->d_model, .head = d_k},
                                      .q = t->b->q + (t->first + i) * d_k,
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
                                      .scale = 1.0f / sqrtf((float)d_k)},
                             .count = count,
                             .out = sharing * d_k,
                             .q = sharing * d_k,
                             .k = keys->head_stride,
                             .v = keys->head_stride};
    if (attn_has_rel_pos(g)) {
        all.call.q = t->b->biased + i * m * d_k;
        all.call.q_strides = (attn_row_strides){.query = d_k, .head = m * d_k};
        all.q = sharing * m * d_k;
        all.call.position = t->b->scores + t->rows.start + i * m * t->rows.stride;
        all.call.position_strides = (attn_row_strides){.query = t->rows.stride, .head = m * t->rows.stride};
        all.position = sharing * m * t->rows.stride;
    }
    attn_attend_shared(&all, t->b->kernel);
}

/* Whole groups of heads that share keys go together. A few positions' heads may begin or end inside of one. */
static void attend_tile(const tile_heads *t) {
    size_t group = t->keys->group, at = t->keys->head0 + t->first, end = at + t->count, sharing;
    if (attn_has_rel_pos(&t->view->layer->geometry)) {
        attn_mark_inner(ATTN_INNER_POSITIONS);
        attn_share(score_part, (void *)t);
    }
    attn_mark_inner(ATTN_INNER_CORE);
    for (size_t head = at, count; head < end; head += count * sharing) {
        bool whole = head % group == 0 && end - head >= group;
        sharing = whole ? group : attn_smaller(group - head % group, end - head);
        count = whole ? (end - head) / group : 1;
        attend_heads(t, head - at, sharing, count);
    }
}

/* Heads whose positions are scored together. Every thread needs some. With few queries a product is fast only with many
 * heads, and with many heads threads wait for each other less often. */
static size_t heads_together(const attn_blas_view *view, const attn_blas_keys *keys, size_t tile) {
    if (!attn_has_rel_pos(&view->layer->geometry))
        return keys->heads;
    size_t fit = attn_blas_heads_together(tile, view->held + view->frames),
           unit = keys->group * attn_threads_in_use();
    return attn_smaller(keys->heads, attn_larger(unit, fit - fit % unit));
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
    tile_heads t = {.view = view, .keys = keys, .b = b};
    for (t.i0 = 0; t.i0 < view->frames; t.i0 += tile) {
        t.m = attn_smaller(tile, view->frames - t.i0);
        t.rows = attn_blas_score_rows(view, t.m);
        attn_mark_inner(ATTN_INNER_PROJECTIONS);
        attn_linear_fast(b->q, q_proj.out, view->x + t.i0 * g->d_model, g->d_model, &q_proj, t.m);
        for (t.first = 0; t.first < keys->heads; t.first += together) {
            t.count = attn_smaller(together, keys->heads - t.first);
            attend_tile(&t);
        }
    }
}
