#include "impl/attention/softmax/keys_values.h"

#include "attn/size.h"
#include "attn/threads.h"
#include "impl/attention/positions.h"
#include "impl/attention/projected.h"
#include "impl/attention/scalar.h"
#include "impl/attention/softmax/softmax_fused.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <string.h>

enum { K, V };

int attn_kv_tensors(attn_layer *layer, attn_tensor_visitor *visit, void *context, attn_error *error) {
    size_t d_model = layer->geometry.d_model,
           width = attn_kv_heads(&layer->geometry) * attn_head_dim(&layer->geometry);
    if (attn_visit_linear(visit, context, "k_proj", &layer->k_proj, width, d_model, error))
        return -1;
    return attn_visit_linear(visit, context, "v_proj", &layer->v_proj, width, d_model, error);
}

size_t attn_kv_slots(const attn_geometry *g, attn_cache_slot slot[ATTN_CACHE_SLOTS]) {
    slot[K] = (attn_cache_slot){.name = "k", .heads = attn_kv_heads(g), .width = attn_head_dim(g)};
    slot[V] = (attn_cache_slot){.name = "v", .heads = attn_kv_heads(g), .width = attn_head_dim(g)};
    return 2;
}

double attn_kv_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    size_t width = attn_kv_heads(g) * attn_head_dim(g);
    double projections = 2 * attn_linear_flops(batch * frames, width, g->d_model);
    double scores_and_contexts = 4.0 * (double)(batch * frames) * (double)keys * (double)g->d_model;
    return attn_query_flops(g, batch, frames) + projections + scores_and_contexts;
}

/* Workspace of the scalar way; the last two are used one after the other. */
typedef struct scalar_buffers {
    float *positions;
    float *row; /* [h_kv d_k]: of a frame */
    attn_scalar_buffers rows;
} scalar_buffers;

static scalar_buffers scalar_layout(attn_arena *arena, const attn_geometry *g, size_t frames, size_t keys) {
    scalar_buffers b = {.positions = attn_scalar_positions_layout(arena, g, frames, keys)};
    size_t mark = attn_arena_mark(arena);
    b.row = attn_arena_floats(arena, attn_kv_heads(g), attn_head_dim(g));
    attn_arena_release(arena, mark);
    b.rows = attn_scalar_rows_layout(arena, g, keys, attn_head_dim(g));
    return b;
}

size_t attn_kv_scalar_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                attn_path path, size_t threads) {
    (void)batch, (void)path, (void)threads;
    attn_arena arena = attn_arena_dry();
    scalar_layout(&arena, g, frames, keys);
    return arena.peak;
}

void attn_kv_scalar(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                    void *workspace) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, row_bytes = attn_cache_row_bytes(cache, K);
    attn_arena arena = attn_arena_wet(workspace);
    scalar_buffers buffers = scalar_layout(&arena, g, call->frames, held + call->frames);
    const float *position = attn_scalar_positions(buffers.positions, layer, cache, call);
    attn_scalar_append(cache, K, &layer->k_proj, call, buffers.row);
    attn_scalar_append(cache, V, &layer->v_proj, call, buffers.row);
    for (size_t b = 0; b < call->batch; b++) {
        attn_scalar_view view = attn_scalar_view_of(out, layer, cache, call, b, held, position);
        attn_scalar_keys kv = {.k = attn_cache_rows(cache, K, b, 0),
                               .v = attn_cache_rows(cache, V, b, 0),
                               .head_stride = cache->capacity * row_bytes,
                               .stride = row_bytes,
                               .type = cache->type};
        attn_scalar_rows(&view, &kv, g->num_heads / attn_kv_heads(g), &buffers.rows);
    }
    cache->length += call->frames;
}

/* Workspace of the fast ways. Sizes are upper bounds that grow with frames and keys. */
typedef struct fast_buffers {
    float *append, *project;    /* before, and after, all the others */
    float *positions;           /* projected, of a group of heads: [count, heads d_k] */
    float *sinusoids;           /* before attend */
    attn_attend_buffers attend; /* blas */
    attn_fused_buffers fused;   /* fused */
} fast_buffers;

static fast_buffers fast_layout(attn_arena *arena, const attn_geometry *g, size_t batch, size_t frames,
                                size_t keys, size_t threads, const attn_way *way) {
    fast_buffers b = {0};
    size_t d_k = attn_head_dim(g), count = attn_blas_position_bound(g, batch, frames, keys);
    size_t start = attn_arena_mark(arena);
    b.append = attn_blas_append_layout(arena, frames, attn_kv_heads(g) * d_k);
    attn_arena_release(arena, start);
    b.project = attn_blas_project_layout(arena, g, attn_times(batch, frames));
    attn_arena_release(arena, start);
    b.positions = attn_blas_group_layout(arena, g, count);
    size_t behind = attn_arena_mark(arena);
    b.sinusoids = attn_projected_layout(arena, g, count, threads);
    attn_arena_release(arena, behind);
    if (way->fused)
        b.fused = attn_fused_attend_layout(arena, g, frames, keys, threads);
    else
        b.attend = attn_blas_attend_layout(arena, g, frames, keys);
    return b;
}

static size_t fast_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys, size_t threads,
                             const attn_way *way) {
    attn_arena arena = attn_arena_dry();
    fast_layout(&arena, g, batch, frames, keys, threads, way);
    return arena.peak;
}

size_t attn_kv_blas_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                              attn_path path, size_t threads) {
    (void)path;
    return fast_workspace(g, batch, frames, keys, threads, &attn_way_blas);
}

size_t attn_kv_fused_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                               attn_path path, size_t threads) {
    (void)path;
    return fast_workspace(g, batch, frames, keys, threads, &attn_way_fused);
}

double attn_kv_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                   attn_path path) {
    (void)path;
    return attn_blas_position_flops(g, batch, frames, keys, attn_blas_tile(frames, keys));
}

double attn_kv_fused_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                    attn_path path) {
    (void)path;
    return attn_blas_position_flops(g, batch, frames, keys, attn_fused_tile(g, frames, keys));
}

static void fast(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                 void *workspace, const attn_way *way) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, keys = held + call->frames, row_bytes = attn_cache_row_bytes(cache, K);
    size_t positions = attn_positions_to_project(g, cache, call);
    size_t at_once =
        attn_blas_head_group(g, positions * attn_head_dim(g)); /* all, but where positions are projected */
    attn_arena arena = attn_arena_wet(workspace);
    fast_buffers buffers =
        fast_layout(&arena, g, call->batch, call->frames, keys, attn_threads_in_use(), way);
    attn_blas_append(cache, K, &layer->k_proj, call, buffers.append, way->products.linear);
    attn_blas_append(cache, V, &layer->v_proj, call, buffers.append, way->products.linear);
    for (size_t head0 = 0; head0 < g->num_heads; head0 += at_once) {
        attn_blas_keys kv = {.head0 = head0,
                             .heads = attn_smaller(at_once, g->num_heads - head0),
                             .group = g->num_heads / attn_kv_heads(g),
                             .head_stride = cache->capacity * row_bytes,
                             .stride = row_bytes,
                             .type = cache->type};
        kv.position =
            attn_project_call(buffers.positions, buffers.sinusoids, layer, cache, call, head0, kv.heads);
        for (size_t b = 0; b < call->batch; b++) {
            attn_blas_view view = attn_blas_view_of(out, layer, cache, call, b, held);
            kv.k = attn_cache_rows(cache, K, b, head0 / kv.group);
            kv.v = attn_cache_rows(cache, V, b, head0 / kv.group);
            if (way->fused)
                attn_fused_attend(&view, &kv, &buffers.fused);
            else
                attn_blas_attend(&view, &kv, &buffers.attend);
        }
    }
    attn_blas_project(out, layer, call->batch * call->frames, buffers.project, way->products.linear);
    cache->length = keys;
}

void attn_kv_blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                  void *workspace) {
    fast(out, layer, cache, call, workspace, &attn_way_blas);
}

void attn_kv_fused(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                   void *workspace) {
    fast(out, layer, cache, call, workspace, &attn_way_fused);
}
