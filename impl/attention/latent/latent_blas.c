/* Both paths through matrix products. */
#include "attn/size.h"
#include "impl/attention/latent/latent.h"
#include "impl/attention/positions.h"
#include "impl/attention/softmax/softmax_blas.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <math.h>
#include <string.h>

enum { EXPAND_ROWS = 256 }; /* latents expanded together */

static void fold_blas(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    attn_gemm_nn(rows, w->in, w->out, 1.0f, x, ldx, w->weight, w->in, 0.0f, y, ldy);
}

static const attn_products blas_products = {attn_linear_blas, fold_blas};

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

static size_t expand_floats(const attn_geometry *g, size_t positions, size_t frames, size_t keys) {
    return attn_blas_group_bound(g, (positions + 2 * keys) * attn_head_dim(g)) +
           attn_larger(EXPAND_ROWS * g->d_model, attn_blas_attend_floats(g, frames, keys, g->num_heads));
}

static size_t absorb_floats(const attn_geometry *g, size_t positions, size_t frames, size_t keys) {
    size_t d_k = attn_head_dim(g), tile = attn_blas_tile_bound(frames);
    size_t rows = attn_larger(g->num_heads, attn_blas_tile_bound(frames * g->num_heads));
    return attn_blas_group_bound(g, positions * d_k) + rows * (d_k + 2 * g->latent_dim + 1) + 2 * tile * d_k +
           attn_blas_position_floats(g, rows, tile) + attn_blas_scores_bound(rows, keys, g->num_heads) +
           attn_blas_position_slack(g, rows, tile, keys);
}

size_t attn_latent_blas_floats(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                               attn_path path) {
    size_t floats = attn_larger(attn_blas_append_floats(frames, g->latent_dim),
                                attn_blas_project_floats(g, batch * frames));
    size_t positions = attn_blas_position_bound(g, batch, frames, keys);
    size_t project = attn_blas_group_bound(g, positions * attn_head_dim(g)) +
                     attn_blas_project_positions_floats(g, positions);
    if (path != ATTN_PATH_ABSORB)
        floats = attn_larger(floats, expand_floats(g, positions, frames, keys));
    if (path != ATTN_PATH_EXPAND)
        floats = attn_larger(floats, absorb_floats(g, positions, frames, keys));
    return attn_larger(floats, project);
}

static void expand_rows(float *y, const attn_layer *layer, bool values, size_t head0, size_t heads,
                        const float *latent, size_t rows, float *tmp, const attn_latent_maps *maps) {
    size_t width = heads * attn_head_dim(&layer->geometry), d_c = layer->geometry.latent_dim;
    for (size_t r = 0; r < rows; r += EXPAND_ROWS)
        maps->expand(y + r * width, width, layer, values, head0, heads, latent + r * d_c,
                     attn_smaller(EXPAND_ROWS, rows - r), tmp, &blas_products);
}

static void expand_group(const attn_blas_view *view, size_t head0, size_t heads, const float *latent,
                         const float *position, float *workspace, const attn_latent_maps *maps) {
    size_t d_k = attn_head_dim(&view->layer->geometry), width = heads * d_k;
    float *k = workspace, *v = k + view->valid * width, *rest = v + view->valid * width;
    expand_rows(k, view->layer, false, head0, heads, latent, view->valid, rest, maps);
    expand_rows(v, view->layer, true, head0, heads, latent, view->valid, rest, maps);
    attn_blas_keys keys = {.head0 = head0,
                           .heads = heads,
                           .group = 1,
                           .k = k,
                           .v = v,
                           .head_stride = d_k,
                           .stride = width,
                           .position = position};
    attn_blas_attend(view, &keys, rest);
}

/* The heads of a group share the latents, so that all their queries are the rows of one product: row (head,
 * i) is head m + i for a tile of m queries. */
static void absorb_group(const attn_blas_view *view, size_t head0, size_t heads, const float *latent,
                         const float *position, float *workspace, const attn_latent_maps *maps, size_t tile) {
    const attn_layer *layer = view->layer;
    const attn_geometry *g = &layer->geometry;
    size_t d_k = attn_head_dim(g), d_c = g->latent_dim, n = view->valid, width = heads * d_k;
    float *q = workspace, *folded = q + tile * width, *mixed = folded + tile * heads * d_c;
    float *sums = mixed + tile * heads * d_c, *tmp = sums + tile * heads, *biased = tmp + tile * d_k;
    float *rest = biased + tile * d_k, *buffer = rest + attn_blas_position_floats(g, tile * heads, tile);
    bool positions = attn_has_rel_pos(g);
    attn_linear q_proj = attn_linear_rows(&layer->q_proj, head0 * d_k, width);
    for (size_t i0 = 0; i0 < view->frames; i0 += tile) {
        size_t m = attn_smaller(tile, view->frames - i0), rows = m * heads;
        attn_score_rows layout = attn_blas_score_rows(view, m);
        float *scores = buffer + layout.start;
        attn_linear_blas(q, width, view->x + i0 * g->d_model, g->d_model, &q_proj, m);
        if (positions)
            attn_blas_position_scores(buffer, view, q, width, position, width, head0, heads, i0, m, rest);
        for (size_t head = 0; head < heads; head++) {
            const float *query = q + head * d_k;
            size_t ldq = width;
            if (positions) {
                attn_blas_add_bias(biased, query, width, layer->pos_bias_u + (head0 + head) * d_k, m, d_k);
                query = biased;
                ldq = d_k;
            }
            maps->fold_query(folded + head * m * d_c, d_c, layer, head0 + head, query, ldq, m, tmp,
                             &blas_products);
        }
        attn_gemm_nt(rows, n, d_c, 1.0f, folded, d_c, latent, d_c, positions ? 1.0f : 0.0f, scores,
                     layout.stride);
        attn_blas_softmax(scores, layout.stride, sums, rows, n, 1.0f / sqrtf((float)d_k));
        attn_gemm_nn(rows, d_c, n, 1.0f, scores, layout.stride, latent, d_c, 0.0f, mixed, d_c);
        for (size_t r = 0; r < rows; r++)
            attn_rows()->scale(mixed + r * d_c, d_c, 1.0f / sums[r]);
        for (size_t head = 0; head < heads; head++)
            maps->expand(view->out + i0 * g->d_model + (head0 + head) * d_k, g->d_model, layer, true,
                         head0 + head, 1, mixed + head * m * d_c, m, tmp, &blas_products);
    }
}

void attn_latent_blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                      float *workspace, const attn_latent_maps *maps) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, keys = held + call->frames, d_k = attn_head_dim(g);
    attn_path path = attn_path_resolve(cache->variant, g, call->batch, call->frames, keys, call->path);
    latent_plan plan = make_plan(g, call->batch, call->frames, keys, path);
    attn_blas_append(cache, 0, &layer->kv_compress, call, workspace);
    for (size_t head0 = 0; head0 < g->num_heads; head0 += plan.at_once) {
        size_t heads = attn_smaller(plan.at_once, g->num_heads - head0);
        const float *position = attn_blas_project_positions(workspace, layer, cache, call, head0, heads);
        float *rest = workspace + plan.positions * heads * d_k;
        for (size_t b = 0; b < call->batch; b++) {
            attn_blas_view view = attn_blas_view_of(out, layer, cache, call, b, held);
            const float *latent = attn_cache_rows(cache, 0, b, 0);
            if (!view.valid)
                attn_blas_clear(&view, head0, heads);
            else if (path == ATTN_PATH_ABSORB)
                absorb_group(&view, head0, heads, latent, position, rest, maps, plan.tile);
            else
                expand_group(&view, head0, heads, latent, position, rest, maps);
        }
    }
    attn_blas_project(out, layer, call->batch * call->frames, workspace);
    cache->length = keys;
}
