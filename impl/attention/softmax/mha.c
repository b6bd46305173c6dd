/* Multi-head attention: Vaswani et al. 2017, section 3.2.2. Every head caches its own keys and values. */
#include "impl/attention/scalar.h"
#include "impl/attention/softmax/keys_values.h"
#include "impl/attention/variant.h"

static size_t cache_bytes(const attn_geometry *g, size_t batch, size_t keys, attn_element type) {
    return 2 * batch * keys * g->num_heads * attn_element_row_bytes(type, attn_head_dim(g));
}

static attn_cost cost(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                      attn_element type) {
    (void)path;
    return (attn_cost){.flops = attn_kv_flops(g, batch, frames, keys),
                       .bytes = attn_least_bytes(&attn_variant_mha, g, batch, frames, keys, type)};
}

const attn_variant attn_variant_mha = {
    .name = "mha",
    .summary = "multi-head attention: keys and values of every head are cached",
    .is_softmax = true,
    .forgets = true,
    .tensors = attn_kv_tensors,
    .cache_slots = attn_kv_slots,
    .cache_bytes = cache_bytes,
    .cost = cost,
    .impls = {{"scalar", attn_kv_scalar_workspace, attn_kv_scalar, attn_scalar_position_flops},
              {"blas", attn_kv_blas_workspace, attn_kv_blas, attn_kv_blas_position_flops, .f32_only = true},
              {"fused", attn_kv_fused_workspace, attn_kv_fused, attn_kv_fused_position_flops, .shares = true,
               .packs = true}}};
