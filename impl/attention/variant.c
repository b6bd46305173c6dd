#include "impl/attention/variant.h"

#include <math.h>

size_t attn_valid_keys(const attn_cache *cache, const attn_call *call, size_t b, size_t keys) {
    if (!call->lengths)
        return keys;
    size_t length = call->lengths[b];
    size_t valid = length > cache->first ? length - cache->first : 0;
    return valid < keys ? valid : keys;
}

size_t attn_valid_frames(const attn_cache *cache, const attn_call *call, size_t b, size_t held) {
    size_t valid = attn_valid_keys(cache, call, b, held + call->frames);
    return valid > held ? valid - held : 0;
}

size_t attn_position_count(const attn_geometry *g, size_t frames, size_t keys) {
    switch (g->pos_enc) {
    case ATTN_POS_REL:
        return frames ? keys + frames - 1 : 0;
    case ATTN_POS_REL_WENET:
        return keys;
    default:
        return 0;
    }
}

const float *attn_position_rows(const attn_cache *cache, const attn_call *call) {
    size_t first = cache->geometry.pos_enc == ATTN_POS_REL ? call->positions_origin - (call->frames - 1)
                                                           : call->positions_origin + cache->first;
    return call->positions + first * cache->geometry.d_model;
}

double attn_query_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    double flops = 2 * attn_linear_flops(batch * frames, g->d_model, g->d_model);
    if (attn_has_rel_pos(g))
        flops += attn_linear_flops(attn_position_count(g, frames, keys), g->d_model, g->d_model) +
                 2.0 * (double)(batch * frames) * (double)keys * (double)g->d_model;
    return flops;
}

double attn_least_bytes(const attn_variant *variant, const attn_geometry *g, size_t batch, size_t frames,
                        size_t keys) {
    double floats =
        (double)attn_layer_parameters(variant, g) + 2.0 * (double)(batch * frames) * (double)g->d_model;
    return floats * sizeof(float) + (double)variant->cache_bytes(g, batch, keys, sizeof(float));
}

void attn_positions(float *table, long first, size_t count, size_t d_model) {
    for (size_t i = 0; i < d_model; i++) {
        double frequency = pow(10000.0, -(double)(i & ~(size_t)1) / (double)d_model);
        for (size_t r = 0; r < count; r++) {
            double angle = (double)(first + (long)r) * frequency;
            table[r * d_model + i] = (float)(i & 1 ? cos(angle) : sin(angle));
        }
    }
}
