/* Both paths through matrix products, or through the fused kernels. */
#include "attn/size.h"
#include "attn/threads.h"
#include "impl/attention/latent/latent.h"
#include "impl/attention/parts.h"
#include "impl/attention/variant.h"
#include "impl/kernels/attend_shared.h"

#include <math.h>

enum { EXPAND_ROWS = 256 }; /* latents expanded together */

/* How a call is divided. */
typedef struct latent_plan {
    size_t positions; /* that the call projects */
    size_t at_once;   /* heads in a group */
    size_t tile;      /* absorb: queries in a tile */
} latent_plan;

static latent_plan make_plan(const attn_geometry *g, size_t frames, size_t keys, size_t positions,
                             attn_path path) {
    latent_plan p = {.positions = positions};
    size_t expanded = path == ATTN_PATH_ABSORB ? 0 : 2 * keys;
    p.at_once = attn_blas_head_group(g, (p.positions + expanded) * attn_head_dim(g));
    p.tile = attn_smaller(frames, attn_larger(1, attn_blas_tile(frames * p.at_once, keys) / p.at_once));
    return p;
}

double attn_latent_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                       attn_path path) {
    size_t positions = attn_blas_position_count(g, batch, frames, keys);
    size_t tile = path == ATTN_PATH_ABSORB ? make_plan(g, frames, keys, positions, path).tile
                                           : attn_blas_tile(frames, keys);
    return attn_blas_position_flops(g, batch, frames, keys, tile);
}

double attn_latent_fused_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                        attn_path path) {
    size_t positions = attn_blas_position_count(g, batch, frames, keys);
    size_t tile = path == ATTN_PATH_ABSORB ? make_plan(g, frames, keys, positions, path).tile
                                           : attn_fused_tile(g, frames, keys);
    return attn_blas_position_flops(g, batch, frames, keys, tile);
}

/* Sizes are upper bounds that grow with frames and keys. */
typedef struct latent_buffers {
    float *append, *project; /* before, and after, all the others */
    float *computed;  /* of a group of heads, rows of [heads d_k]: positions; to expand, keys and values */
    float *sinusoids; /* before what follows */
    /* Of the maps, for each thread: [EXPAND_ROWS, d_model], before attend; to absorb, [tile, d_k]. */
    float *tmp;
    /* Expand, fused: latents of another type as floats, for each thread [EXPAND_ROWS, d_c], before attend. */
    float *latents;
    attn_attend_buffers attend; /* expand, blas */
    attn_fused_buffers fused;   /* expand, fused */
    /* absorb, where rows are (head, query): */
    float *q;              /* [tile, heads d_k] */
    float *folded, *mixed; /* [rows, d_c] */
    float *sums;           /* [rows]; blas */
    float *kernel;         /* workspace of attn_attend_shared; fused */
    float *biased;         /* for each thread: [tile, d_k] */
    attn_position_buffers position;
    float *scores; /* laid out as attn_blas_score_rows says; fused: of positions alone */
} latent_buffers;

static void expand_layout(latent_buffers *b, attn_arena *arena, const attn_geometry *g, size_t frames,
                          size_t keys, size_t threads, bool fused) {
    size_t mark = attn_arena_mark(arena);
    b->tmp = attn_arena_floats(arena, EXPAND_ROWS * threads, g->d_model);
    b->latents = attn_arena_floats(arena, fused ? EXPAND_ROWS * threads : 0, g->latent_dim);
    attn_arena_release(arena, mark);
    if (fused)
        b->fused = attn_fused_attend_layout(arena, g, frames, keys, threads);
    else
        b->attend = attn_blas_attend_layout(arena, g, frames, keys);
}

static void absorb_layout(latent_buffers *b, attn_arena *arena, const attn_geometry *g, size_t frames,
                          size_t keys, size_t threads, bool fused) {
    size_t d_k = attn_head_dim(g), tile = attn_blas_tile_bound(frames);
    size_t rows = attn_larger(g->num_heads, attn_blas_tile_bound(attn_times(frames, g->num_heads)));
    b->q = attn_arena_floats(arena, rows, d_k);
    b->folded = attn_arena_floats(arena, rows, g->latent_dim);
    b->mixed = attn_arena_floats(arena, rows, g->latent_dim);
    b->sums = attn_arena_floats(arena, 1, rows);
    b->kernel = attn_arena_floats(
        arena, 1, fused ? attn_attend_shared_floats(g->latent_dim, g->latent_dim, threads) : 0);
    b->tmp = attn_arena_floats(arena, attn_times(tile, threads), d_k);
    b->biased = attn_arena_floats(arena, attn_times(tile, threads), d_k);
    b->position = attn_blas_position_layout(arena, g, rows, tile, threads);
    if (!fused || attn_has_rel_pos(g))
        b->scores = attn_blas_scores_layout(arena, g, rows, tile, keys, g->num_heads, 1);
}

/* Of a path that is not AUTO. */
static latent_buffers layout(attn_arena *arena, const attn_geometry *g, size_t batch, size_t frames,
                             size_t keys, attn_path path, size_t threads, bool fused) {
    latent_buffers b = {0};
    size_t positions = attn_blas_position_bound(g, batch, frames, keys), start = attn_arena_mark(arena);
    size_t expanded = path == ATTN_PATH_EXPAND ? attn_times(2, keys) : 0;
    b.append = attn_blas_append_layout(arena, frames, g->latent_dim);
    attn_arena_release(arena, start);
    b.project = attn_blas_project_layout(arena, g, attn_times(batch, frames));
    attn_arena_release(arena, start);
    b.computed = attn_blas_group_layout(arena, g, attn_plus(positions, expanded));
    size_t behind = attn_arena_mark(arena);
    b.sinusoids = attn_projected_layout(arena, g, positions, threads);
    attn_arena_release(arena, behind);
    (path == ATTN_PATH_EXPAND ? expand_layout : absorb_layout)(&b, arena, g, frames, keys, threads, fused);
    return b;
}

static size_t workspace_bytes(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                              attn_path path, size_t threads, bool fused) {
    attn_arena arena = attn_arena_dry();
    if (path != ATTN_PATH_ABSORB)
        layout(&arena, g, batch, frames, keys, ATTN_PATH_EXPAND, threads, fused);
    attn_arena_release(&arena, 0);
    if (path != ATTN_PATH_EXPAND)
        layout(&arena, g, batch, frames, keys, ATTN_PATH_ABSORB, threads, fused);
    return arena.peak;
}

size_t attn_latent_blas_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                  attn_path path, size_t threads) {
    return workspace_bytes(g, batch, frames, keys, path, threads, false);
}

size_t attn_latent_fused_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                   attn_path path, size_t threads) {
    return workspace_bytes(g, batch, frames, keys, path, threads, true);
}

/* The latents of one utterance, in its cache. */
typedef struct latent_rows {
    const attn_cache *cache;
    size_t utterance;
} latent_rows;

/* Rows first .. first + count - 1 as floats: where they lie, or converted into `copy`. */
static const float *float_rows(float *copy, const latent_rows *latents, size_t first, size_t count) {
    const attn_cache *cache = latents->cache;
    if (cache->type == ATTN_ELEMENT_F32)
        return (float *)attn_cache_rows(cache, 0, latents->utterance, 0) + first * cache->slot[0].width;
    attn_cache_load(copy, cache, 0, latents->utterance, 0, first, count);
    return copy;
}

/* Keys and values of some heads, of all latents that count. */
typedef struct expansion {
    const attn_blas_view *view;
    const attn_latent_maps *maps;
    const attn_products *products;
    const latent_buffers *b;
    const latent_rows *latents;
    size_t head0, heads;
    float *k, *v; /* [heads, rows, d_k]: a head's rows lie one after the other, as in a cache of keys */
} expansion;

/* A part has some of the latents. */
static void expand_part(void *context, size_t part, size_t parts) {
    const expansion *e = context;
    const attn_layer *layer = e->view->layer;
    size_t d_k = attn_head_dim(&layer->geometry), step = e->view->valid * d_k;
    attn_range range = attn_part_range(e->view->valid, 1, part, parts);
    float *tmp = e->b->tmp + part * EXPAND_ROWS * layer->geometry.d_model;
    float *copy = e->b->latents + part * EXPAND_ROWS * layer->geometry.latent_dim;
    for (size_t r = range.begin; r < range.end; r += EXPAND_ROWS) {
        size_t count = attn_smaller(EXPAND_ROWS, range.end - r);
        const float *latent = float_rows(copy, e->latents, r, count);
        e->maps->expand(e->k + r * d_k, d_k, step, layer, false, e->head0, e->heads, latent, count, tmp,
                        e->products);
        e->maps->expand(e->v + r * d_k, d_k, step, layer, true, e->head0, e->heads, latent, count, tmp,
                        e->products);
    }
}

/* Keys and values go behind the projected positions. */
static void expand_group(const attn_blas_view *view, size_t head0, size_t heads, const latent_rows *latents,
                         attn_projected_rows position, size_t positions, const latent_buffers *b,
                         const attn_latent_maps *maps, const attn_way *way) {
    size_t d_k = attn_head_dim(&view->layer->geometry), width = heads * d_k;
    float *k = b->computed + positions * width, *v = k + view->valid * width;
    expansion e = {view, maps, &way->products, b, latents, head0, heads, k, v};
    attn_mark_inner(ATTN_INNER_LATENT_MAPS);
    attn_share(expand_part, &e);
    attn_blas_keys keys = {.head0 = head0,
                           .heads = heads,
                           .group = 1,
                           .k = k,
                           .v = v,
                           .head_stride = view->valid * d_k * sizeof(float),
                           .stride = d_k * sizeof(float),
                           .position = position};
    if (way->fused)
        attn_fused_attend(view, &keys, &b->fused);
    else
        attn_blas_attend(view, &keys, &b->attend);
}

/* A tile of m queries of a group of heads, which share the latents, so that all their queries are the rows of one
 * product: row (head, i) is head m + i. */
typedef struct absorbed_tile {
    const attn_blas_view *view;
    const attn_latent_maps *maps;
    const attn_products *products;
    const latent_buffers *b;
    size_t head0, heads, i0, m;
    attn_score_rows rows;
    attn_projected_rows position;
} absorbed_tile;

/* Scores of positions, and folded [heads m, d_c] = E_k^T (q + u); a part has some of the heads. */
static void fold_part(void *context, size_t part, size_t parts) {
    const absorbed_tile *t = context;
    const attn_layer *layer = t->view->layer;
    const attn_geometry *g = &layer->geometry;
    size_t d_k = attn_head_dim(g), width = t->heads * d_k, m = t->m;
    attn_range heads = attn_part_range(t->heads, 1, part, parts);
    bool positions = attn_has_rel_pos(g) && heads.begin < heads.end;
    float *tmp = t->b->tmp + part * m * d_k, *biased = t->b->biased + part * m * d_k;
    if (positions) {
        attn_position_buffers own = attn_blas_position_buffers_of(&t->b->position, part);
        attn_mark_inner(ATTN_INNER_POSITIONS);
        attn_blas_position_scores(t->b->scores + heads.begin * m * t->rows.stride, t->view,
                                  t->b->q + heads.begin * d_k, width,
                                  attn_projected_heads(t->position, heads.begin), t->head0 + heads.begin,
                                  heads.end - heads.begin, t->i0, m, &own);
    }
    attn_mark_inner(ATTN_INNER_LATENT_MAPS);
    for (size_t i = heads.begin; i < heads.end; i++) {
        const float *query = t->b->q + i * d_k;
        if (positions) {
            attn_blas_add_bias(biased, query, width, layer->pos_bias_u + (t->head0 + i) * d_k, m, d_k);
            query = biased;
        }
        t->maps->fold_query(t->b->folded + i * m * g->latent_dim, g->latent_dim, layer, t->head0 + i, query,
                            positions ? d_k : width, m, tmp, t->products);
    }
}

/* Contexts: E_v of the mixed latents; a part has some of the heads. */
static void unfold_part(void *context, size_t part, size_t parts) {
    const absorbed_tile *t = context;
    const attn_geometry *g = &t->view->layer->geometry;
    size_t d_k = attn_head_dim(g), m = t->m;
    attn_range heads = attn_part_range(t->heads, 1, part, parts);
    for (size_t i = heads.begin; i < heads.end; i++)
        t->maps->expand(t->view->out + t->i0 * g->d_model + (t->head0 + i) * d_k, g->d_model, d_k,
                        t->view->layer, true, t->head0 + i, 1, t->b->mixed + i * m * g->latent_dim, m,
                        t->b->tmp + part * m * d_k, t->products);
}

/* mixed [rows, d_c] = softmax(scale (scores + folded latent^T)) latent, over the keys that count. */
static void mix_latents(const attn_blas_view *view, const latent_rows *latents, size_t rows,
                        attn_score_rows layout, const latent_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_c = g->latent_dim, n = view->valid;
    const float *latent = attn_cache_rows(latents->cache, 0, latents->utterance, 0);
    float *scores = b->scores + layout.start;
    attn_mark_inner(ATTN_INNER_SCORES);
    attn_gemm_nt(rows, n, d_c, 1.0f, b->folded, d_c, latent, d_c, attn_has_rel_pos(g) ? 1.0f : 0.0f, scores,
                 layout.stride);
    attn_mark_inner(ATTN_INNER_SOFTMAX);
    attn_blas_softmax(scores, layout.stride, b->sums, rows, n, 1.0f / sqrtf((float)attn_head_dim(g)));
    attn_mark_inner(ATTN_INNER_VALUES);
    attn_gemm_nn(rows, d_c, n, 1.0f, scores, layout.stride, latent, d_c, 0.0f, b->mixed, d_c);
    for (size_t r = 0; r < rows; r++)
        attn_rows()->scale(b->mixed + r * d_c, d_c, 1.0f / b->sums[r]);
}

/* The same by the fused kernel: one read of the latents. */
static void mix_latents_fused(const attn_blas_view *view, const latent_rows *latents, size_t rows,
                              attn_score_rows layout, const latent_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    const void *latent = attn_cache_rows(latents->cache, 0, latents->utterance, 0);
    size_t d_c = g->latent_dim, stride = attn_cache_row_bytes(latents->cache, 0);
    attn_attend_heads all = {.call = {.out = b->mixed,
                                      .out_strides.query = d_c,
                                      .q = b->folded,
                                      .q_strides.query = d_c,
                                      .position = attn_has_rel_pos(g) ? b->scores + layout.start : NULL,
                                      .position_strides.query = layout.stride,
                                      .queries = rows,
                                      .heads = 1,
                                      .k = latent,
                                      .v = latent,
                                      .k_stride = stride,
                                      .v_stride = stride,
                                      .keys = view->valid,
                                      .k_width = d_c,
                                      .v_width = d_c,
                                      .type = latents->cache->type,
                                      .scale = 1.0f / sqrtf((float)attn_head_dim(g))},
                             .count = 1};
    attn_mark_inner(ATTN_INNER_CORE);
    attn_attend_shared(&all, b->kernel);
}

static void absorb_group(const attn_blas_view *view, size_t head0, size_t heads, const latent_rows *latents,
                         attn_projected_rows position, size_t tile, const latent_buffers *b,
                         const attn_latent_maps *maps, const attn_way *way) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), width = heads * d_k;
    attn_linear q_proj = attn_linear_rows(&view->layer->q_proj, head0 * d_k, width);
    absorbed_tile t = {.view = view,
                       .maps = maps,
                       .products = &way->products,
                       .b = b,
                       .head0 = head0,
                       .heads = heads,
                       .position = position};
    for (t.i0 = 0; t.i0 < view->frames; t.i0 += tile) {
        t.m = attn_smaller(tile, view->frames - t.i0);
        t.rows = attn_blas_score_rows(view, t.m);
        attn_mark_inner(ATTN_INNER_PROJECTIONS);
        way->products.linear(b->q, width, view->x + t.i0 * g->d_model, g->d_model, &q_proj, t.m);
        attn_share(fold_part, &t);
        (way->fused ? mix_latents_fused : mix_latents)(view, latents, t.m * heads, t.rows, b);
        attn_mark_inner(ATTN_INNER_LATENT_MAPS);
        attn_share(unfold_part, &t);
    }
}

void attn_latent_blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                      void *workspace, const attn_latent_maps *maps, const attn_way *way) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, keys = held + call->frames;
    attn_path path = attn_path_resolve(cache->variant, g, call->batch, call->frames, keys, call->path);
    latent_plan plan = make_plan(g, call->frames, keys, attn_positions_to_project(g, cache, call), path);
    attn_arena arena = attn_arena_wet(workspace);
    latent_buffers buffers =
        layout(&arena, g, call->batch, call->frames, keys, path, attn_threads_in_use(), way->fused);
    attn_blas_append(cache, 0, &layer->kv_compress, call, buffers.append, way->products.linear);
    for (size_t head0 = 0; head0 < g->num_heads; head0 += plan.at_once) {
        size_t heads = attn_smaller(plan.at_once, g->num_heads - head0);
        attn_projected_rows position =
            attn_project_call(buffers.computed, buffers.sinusoids, layer, cache, call, head0, heads);
        for (size_t b = 0; b < call->batch; b++) {
            attn_blas_view view = attn_blas_view_of(out, layer, cache, call, b, held);
            const latent_rows latents = {cache, b};
            if (!view.valid)
                attn_blas_clear(&view, head0, heads);
            else if (path == ATTN_PATH_ABSORB)
                absorb_group(&view, head0, heads, &latents, position, plan.tile, &buffers, maps, way);
            else
                expand_group(&view, head0, heads, &latents, position, plan.positions, &buffers, maps, way);
        }
    }
    attn_blas_project(out, layer, call->batch * call->frames, buffers.project, way->products.linear);
    cache->length = keys;
}
