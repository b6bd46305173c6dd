#include "impl/attention/softmax/keys_values.h"

#include "attn/size.h"
#include "impl/attention/positions.h"
#include "impl/attention/scalar.h"
#include "impl/attention/softmax/softmax_blas.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <string.h>

enum { K, V };

size_t attn_kv_heads(const attn_geometry *g) {
    return g->num_kv_heads ? g->num_kv_heads : g->num_heads;
}

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

void attn_scalar_append(attn_cache *cache, size_t slot, const attn_linear *w, const attn_call *call,
                        float *workspace) {
    size_t d_model = cache->geometry.d_model, width = cache->slot[slot].width, heads = w->out / width;
    for (size_t b = 0; b < call->batch; b++)
        for (size_t t = 0; t < call->frames; t++) {
            attn_linear_scalar(workspace, w->out, call->x + (b * call->frames + t) * d_model, d_model, w, 1);
            for (size_t head = 0; head < heads; head++)
                memcpy(attn_cache_rows(cache, slot, b, head) + (cache->length + t) * width,
                       workspace + head * width, width * sizeof(float));
        }
}

size_t attn_kv_scalar_floats(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                             attn_path path) {
    (void)batch, (void)path;
    return attn_scalar_position_floats(g, frames, keys) + attn_scalar_rows_floats(g, keys);
}

void attn_kv_scalar(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                    float *workspace) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, d_k = attn_head_dim(g);
    const float *position = attn_scalar_positions(workspace, layer, cache, call);
    float *rest = workspace + attn_scalar_position_floats(g, call->frames, held + call->frames);
    attn_scalar_append(cache, K, &layer->k_proj, call, rest);
    attn_scalar_append(cache, V, &layer->v_proj, call, rest);
    for (size_t b = 0; b < call->batch; b++) {
        attn_scalar_view view = attn_scalar_view_of(out, layer, cache, call, b, held, position);
        attn_scalar_rows(&view, attn_cache_rows(cache, K, b, 0), attn_cache_rows(cache, V, b, 0),
                         cache->capacity * d_k, d_k, g->num_heads / attn_kv_heads(g), rest);
    }
    cache->length += call->frames;
}

size_t attn_kv_blas_floats(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path) {
    (void)path;
    size_t d_k = attn_head_dim(g), count = attn_blas_position_bound(g, batch, frames, keys);
    size_t attend = attn_blas_group_bound(g, count * d_k) +
                    attn_larger(attn_blas_project_positions_floats(g, count),
                                attn_blas_attend_floats(g, frames, keys, g->num_heads));
    size_t append = attn_blas_append_floats(frames, attn_kv_heads(g) * d_k);
    return attn_larger(attn_larger(attend, append), attn_blas_project_floats(g, batch * frames));
}

double attn_kv_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                   attn_path path) {
    (void)path;
    return attn_blas_position_flops(g, batch, frames, keys, attn_blas_tile(frames, keys));
}

void attn_kv_blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                  float *workspace) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, keys = held + call->frames, d_k = attn_head_dim(g);
    size_t positions = attn_blas_position_count(g, call->batch, call->frames, keys);
    size_t at_once = attn_blas_head_group(g, positions * d_k); /* all, but where positions are projected */
    attn_blas_append(cache, K, &layer->k_proj, call, workspace);
    attn_blas_append(cache, V, &layer->v_proj, call, workspace);
    for (size_t head0 = 0; head0 < g->num_heads; head0 += at_once) {
        attn_blas_keys kv = {.head0 = head0,
                             .heads = attn_smaller(at_once, g->num_heads - head0),
                             .group = g->num_heads / attn_kv_heads(g),
                             .head_stride = cache->capacity * d_k,
                             .stride = d_k};
        kv.position = attn_blas_project_positions(workspace, layer, cache, call, head0, kv.heads);
        for (size_t b = 0; b < call->batch; b++) {
            attn_blas_view view = attn_blas_view_of(out, layer, cache, call, b, held);
            kv.k = attn_cache_rows(cache, K, b, head0 / kv.group);
            kv.v = attn_cache_rows(cache, V, b, head0 / kv.group);
            attn_blas_attend(&view, &kv, workspace + positions * kv.heads * d_k);
        }
    }
    attn_blas_project(out, layer, call->batch * call->frames, workspace);
    cache->length = keys;
}
