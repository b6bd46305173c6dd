/* Both paths through matrix products, or through the fused kernels. */
#include "attn/size.h"
#include "impl/attention/latent/latent.h"
#include "impl/attention/variant.h"
#include "impl/kernels/attend.h"

#include <math.h>

enum { EXPAND_ROWS = 256 }; /* latents expanded together */

/* How a call is divided. */
typedef struct latent_plan {
    size_t positions; /* rows of projected positions */
    size_t at_once;   /* heads in a group */
    size_t tile;      /* absorb: queries in a tile */
} latent_plan;

static latent_plan make_plan(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                             attn_path path) {
    latent_plan p = {.positions = attn_blas_position_count(g, batch, frames, keys)};
    size_t expanded = path == ATTN_PATH_ABSORB ? 0 : 2 * keys;
    p.at_once = attn_blas_head_group(g, (p.positions + expanded) * attn_head_dim(g));
    p.tile = attn_smaller(frames, attn_larger(1, attn_blas_tile(frames * p.at_once, keys) / p.at_once));
    return p;
}

double attn_latent_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                       attn_path path) {
    size_t tile = path == ATTN_PATH_ABSORB ? make_plan(g, batch, frames, keys, path).tile
                                           : attn_blas_tile(frames, keys);
    return attn_blas_position_flops(g, batch, frames, keys, tile);
}

double attn_latent_fused_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                        attn_path path) {
    size_t tile = path == ATTN_PATH_ABSORB ? make_plan(g, batch, frames, keys, path).tile
                                           : attn_fused_tile(g, frames, keys);
    return attn_blas_position_flops(g, batch, frames, keys, tile);
}

/* Sizes are upper bounds that grow with frames and keys. */
typedef struct latent_buffers {
    float *append, *project; /* before, and after, all the others */
    float *computed;  /* of a group of heads, rows of [heads d_k]: positions; to expand, keys and values */
    float *sinusoids; /* before what follows */
    float *tmp;       /* of the maps: [EXPAND_ROWS, d_model], before attend; to absorb, [tile, d_k] */
    float *latents; /* expand, fused: latents of another type as floats, [EXPAND_ROWS, d_c], before attend */
    attn_attend_buffers attend; /* expand, blas */
    attn_fused_buffers fused;   /* expand, fused */
    /* absorb, where rows are (head, query): */
    float *q;              /* [tile, heads d_k] */
    float *folded, *mixed; /* [rows, d_c] */
    float *sums;           /* [rows]; blas */
    float *kernel;         /* workspace of the kernel; fused */
    float *biased;         /* [tile, d_k] */
    attn_position_buffers position;
    float *scores; /* laid out as attn_blas_score_rows says; fused: of positions alone */
} latent_buffers;

static void expand_layout(latent_buffers *b, attn_arena *arena, const attn_geometry *g, size_t frames,
                          size_t keys, bool fused) {
    size_t mark = attn_arena_mark(arena);
    b->tmp = attn_arena_floats(arena, EXPAND_ROWS, g->d_model);
    b->latents = attn_arena_floats(arena, fused ? attn_smaller(keys, EXPAND_ROWS) : 0, g->latent_dim);
    attn_arena_release(arena, mark);
    if (fused)
        b->fused = attn_fused_attend_layout(arena, g, frames, keys);
    else
        b->attend = attn_blas_attend_layout(arena, g, frames, keys);
}

static void absorb_layout(latent_buffers *b, attn_arena *arena, const attn_geometry *g, size_t frames,
                          size_t keys, bool fused) {
    size_t d_k = attn_head_dim(g), tile = attn_blas_tile_bound(frames);
    size_t rows = attn_larger(g->num_heads, attn_blas_tile_bound(attn_times(frames, g->num_heads)));
    b->q = attn_arena_floats(arena, rows, d_k);
    b->folded = attn_arena_floats(arena, rows, g->latent_dim);
    b->mixed = attn_arena_floats(arena, rows, g->latent_dim);
    b->sums = attn_arena_floats(arena, 1, rows);
    b->kernel = attn_arena_floats(arena, 1, fused ? attn_attend_floats(g->latent_dim, g->latent_dim) : 0);
    b->tmp = attn_arena_floats(arena, tile, d_k);
    b->biased = attn_arena_floats(arena, tile, d_k);
    b->position = attn_blas_position_layout(arena, g, rows, tile);
    if (!fused || attn_has_rel_pos(g))
        b->scores = attn_blas_scores_layout(arena, g, rows, tile, keys, g->num_heads);
}

/* Of a path that is not AUTO. */
static latent_buffers layout(attn_arena *arena, const attn_geometry *g, size_t batch, size_t frames,
                             size_t keys, attn_path path, bool fused) {
    latent_buffers b = {0};
    size_t positions = attn_blas_position_bound(g, batch, frames, keys), start = attn_arena_mark(arena);
    size_t expanded = path == ATTN_PATH_EXPAND ? attn_times(2, keys) : 0;
    b.append = attn_blas_append_layout(arena, frames, g->latent_dim);
    attn_arena_release(arena, start);
    b.project = attn_blas_project_layout(arena, g, attn_times(batch, frames));
    attn_arena_release(arena, start);
    b.computed = attn_blas_group_layout(arena, g, attn_plus(positions, expanded));
    size_t behind = attn_arena_mark(arena);
    b.sinusoids = attn_blas_sinusoids_layout(arena, g, positions);
    attn_arena_release(arena, behind);
    (path == ATTN_PATH_EXPAND ? expand_layout : absorb_layout)(&b, arena, g, frames, keys, fused);
    return b;
}

static size_t workspace_bytes(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                              attn_path path, bool fused) {
    attn_arena arena = attn_arena_dry();
    if (path != ATTN_PATH_ABSORB)
        layout(&arena, g, batch, frames, keys, ATTN_PATH_EXPAND, fused);
    attn_arena_release(&arena, 0);
    if (path != ATTN_PATH_EXPAND)
        layout(&arena, g, batch, frames, keys, ATTN_PATH_ABSORB, fused);
    return arena.peak;
}

size_t attn_latent_blas_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                  attn_path path) {
    return workspace_bytes(g, batch, frames, keys, path, false);
}

size_t attn_latent_fused_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                   attn_path path) {
    return workspace_bytes(g, batch, frames, keys, path, true);
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

static void expand_rows(float *k, float *v, const attn_layer *layer, size_t head0, size_t heads,
                        const latent_rows *latents, size_t rows, const latent_buffers *b,
                        const attn_latent_maps *maps, const attn_products *products) {
    size_t width = heads * attn_head_dim(&layer->geometry);
    for (size_t r = 0; r < rows; r += EXPAND_ROWS) {
        size_t count = attn_smaller(EXPAND_ROWS, rows - r);
        const float *latent = float_rows(b->latents, latents, r, count);
        maps->expand(k + r * width, width, layer, false, head0, heads, latent, count, b->tmp, products);
        maps->expand(v + r * width, width, layer, true, head0, heads, latent, count, b->tmp, products);
    }
}

/* Keys and values go behind the projected positions. */
static void expand_group(const attn_blas_view *view, size_t head0, size_t heads, const latent_rows *latents,
                         const float *position, size_t positions, const latent_buffers *b,
                         const attn_latent_maps *maps, const attn_way *way) {
    size_t d_k = attn_head_dim(&view->layer->geometry), width = heads * d_k;
    float *k = b->computed + positions * width, *v = k + view->valid * width;
    expand_rows(k, v, view->layer, head0, heads, latents, view->valid, b, maps, &way->products);
    attn_blas_keys keys = {.head0 = head0,
                           .heads = heads,
                           .group = 1,
                           .k = k,
                           .v = v,
                           .head_stride = d_k * sizeof(float),
                           .stride = width * sizeof(float),
                           .position = position};
    if (way->fused)
        attn_fused_attend(view, &keys, &b->fused);
    else
        attn_blas_attend(view, &keys, &b->attend);
}

/* folded [heads m, d_c] = E_k^T (q + u) of every head, for m queries. */
static void fold_heads(const attn_layer *layer, size_t head0, size_t heads, size_t m, const latent_buffers *b,
                       const attn_latent_maps *maps, const attn_products *products) {
    const attn_geometry *g = &layer->geometry;
    size_t d_k = attn_head_dim(g), width = heads * d_k;
    bool positions = attn_has_rel_pos(g);
    for (size_t head = 0; head < heads; head++) {
        const float *query = b->q + head * d_k;
        if (positions) {
            attn_blas_add_bias(b->biased, query, width, layer->pos_bias_u + (head0 + head) * d_k, m, d_k);
            query = b->biased;
        }
        maps->fold_query(b->folded + head * m * g->latent_dim, g->latent_dim, layer, head0 + head, query,
                         positions ? d_k : width, m, b->tmp, products);
    }
}

/* mixed [rows, d_c] = softmax(scale (scores + folded latent^T)) latent, over the keys that count. */
static void mix_latents(const attn_blas_view *view, const latent_rows *latents, size_t rows,
                        attn_score_rows layout, const latent_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_c = g->latent_dim, n = view->valid;
    const float *latent = attn_cache_rows(latents->cache, 0, latents->utterance, 0);
    float *scores = b->scores + layout.start;
    attn_gemm_nt(rows, n, d_c, 1.0f, b->folded, d_c, latent, d_c, attn_has_rel_pos(g) ? 1.0f : 0.0f, scores,
                 layout.stride);
    attn_blas_softmax(scores, layout.stride, b->sums, rows, n, 1.0f / sqrtf((float)attn_head_dim(g)));
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
    attn_attend_call call = {.out = b->mixed,
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
                             .scale = 1.0f / sqrtf((float)attn_head_dim(g))};
    attn_attend()->attend(&call, b->kernel);
}

/* The heads of a group share the latents, so that all their queries are the rows of one product: row (head,
 * i) is head m + i for a tile of m queries. */
static void absorb_group(const attn_blas_view *view, size_t head0, size_t heads, const latent_rows *latents,
                         const float *position, size_t tile, const latent_buffers *b,
                         const attn_latent_maps *maps, const attn_way *way) {
    const attn_layer *layer = view->layer;
    const attn_geometry *g = &layer->geometry;
    size_t d_k = attn_head_dim(g), d_c = g->latent_dim, width = heads * d_k;
    attn_linear q_proj = attn_linear_rows(&layer->q_proj, head0 * d_k, width);
    for (size_t i0 = 0; i0 < view->frames; i0 += tile) {
        size_t m = attn_smaller(tile, view->frames - i0);
        way->products.linear(b->q, width, view->x + i0 * g->d_model, g->d_model, &q_proj, m);
        if (attn_has_rel_pos(g))
            attn_blas_position_scores(b->scores, view, b->q, width, position, width, head0, heads, i0, m,
                                      &b->position);
        fold_heads(layer, head0, heads, m, b, maps, &way->products);
        (way->fused ? mix_latents_fused : mix_latents)(view, latents, m * heads,
                                                       attn_blas_score_rows(view, m), b);
        for (size_t head = 0; head < heads; head++)
            maps->expand(view->out + i0 * g->d_model + (head0 + head) * d_k, g->d_model, layer, true,
                         head0 + head, 1, b->mixed + head * m * d_c, m, b->tmp, &way->products);
    }
}

void attn_latent_blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                      void *workspace, const attn_latent_maps *maps, const attn_way *way) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, keys = held + call->frames;
    attn_path path = attn_path_resolve(cache->variant, g, call->batch, call->frames, keys, call->path);
    latent_plan plan = make_plan(g, call->batch, call->frames, keys, path);
    attn_arena arena = attn_arena_wet(workspace);
    latent_buffers buffers = layout(&arena, g, call->batch, call->frames, keys, path, way->fused);
    attn_blas_append(cache, 0, &layer->kv_compress, call, buffers.append, way->products.linear);
    for (size_t head0 = 0; head0 < g->num_heads; head0 += plan.at_once) {
        size_t heads = attn_smaller(plan.at_once, g->num_heads - head0);
        const float *position = attn_blas_project_positions(buffers.computed, buffers.sinusoids, layer, cache,
                                                            call, head0, heads);
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
