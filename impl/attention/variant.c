#include "impl/attention/variant.h"

#include "attn/size.h"

const char *const attn_path_names[] = {"auto", "expand", "absorb", NULL};

attn_path attn_path_resolve(const attn_variant *variant, const attn_geometry *g, size_t batch, size_t frames,
                            size_t keys, attn_path path) {
    if (!variant->has_latent)
        return ATTN_PATH_EXPAND;
    if (path != ATTN_PATH_AUTO)
        return path;
    double expand = variant->path_flops(g, batch, frames, keys, ATTN_PATH_EXPAND);
    double absorb = variant->path_flops(g, batch, frames, keys, ATTN_PATH_ABSORB);
    return absorb <= expand ? ATTN_PATH_ABSORB : ATTN_PATH_EXPAND;
}

attn_cost attn_impl_cost(const attn_variant *variant, const attn_impl *impl, const attn_geometry *g,
                         size_t batch, size_t frames, size_t keys, attn_path path, attn_element type) {
    path = attn_path_resolve(variant, g, batch, frames, keys, path);
    attn_cost cost = variant->cost(g, batch, frames, keys, path, type);
    if (impl->position_flops)
        cost.flops += impl->position_flops(g, batch, frames, keys, path);
    return cost;
}

size_t attn_valid_keys(const attn_cache *cache, const attn_call *call, size_t b, size_t keys) {
    if (!call->lengths)
        return keys;
    size_t length = call->lengths[b];
    size_t valid = length > cache->first ? length - cache->first : 0;
    return attn_smaller(valid, keys);
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

long attn_first_position(const attn_geometry *g, const attn_cache *cache, const attn_call *call,
                         size_t held) {
    return call->position_shift + (long)(g->pos_enc == ATTN_POS_REL ? held : cache->first);
}

double attn_query_flops(const attn_geometry *g, size_t batch, size_t frames) {
    return 2 * attn_linear_flops(batch * frames, g->d_model, g->d_model);
}

double attn_least_bytes(const attn_variant *variant, const attn_geometry *g, size_t batch, size_t frames,
                        size_t keys, attn_element type) {
    double floats =
        (double)attn_layer_parameters(variant, g) + 2.0 * (double)(batch * frames) * (double)g->d_model;
    return floats * sizeof(float) + (double)variant->cache_bytes(g, batch, keys, type);
}
