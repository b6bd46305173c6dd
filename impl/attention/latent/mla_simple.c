/* MLA-Simple: one latent per frame, K and V expanded from it by one matrix each (DeepSeek-V2 2024, eq. 9-11,
 * without its decoupled positions). */
#include "impl/attention/latent/latent.h"
#include "impl/attention/scalar.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

static int tensors(attn_layer *layer, attn_tensor_visitor *visit, void *context, attn_error *error) {
    size_t d_model = layer->geometry.d_model, d_c = layer->geometry.latent_dim;
    if (attn_visit_linear(visit, context, "kv_compress", &layer->kv_compress, d_c, d_model, error) ||
        attn_visit_linear(visit, context, "k_expand", &layer->k_expand, d_model, d_c, error))
        return -1;
    return attn_visit_linear(visit, context, "v_expand", &layer->v_expand, d_model, d_c, error);
}

static size_t cache_bytes(const attn_geometry *g, size_t batch, size_t keys, attn_element type) {
    return batch * keys * attn_element_row_bytes(type, g->latent_dim);
}

static double path_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path) {
    return attn_latent_flops(g, batch, frames, keys, path, attn_linear_flops(1, g->d_model, g->latent_dim));
}

static attn_cost cost(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                      attn_element type) {
    path = attn_path_resolve(&attn_variant_mla_simple, g, batch, frames, keys, path);
    return (attn_cost){.flops = path_flops(g, batch, frames, keys, path),
                       .bytes = attn_least_bytes(&attn_variant_mla_simple, g, batch, frames, keys, type)};
}

static void expand(float *y, size_t ldy, size_t step, const attn_layer *layer, bool values, size_t head0,
                   size_t heads, const float *latent, size_t rows, float *tmp, const attn_products *p) {
    (void)tmp;
    const attn_linear *map = values ? &layer->v_expand : &layer->k_expand;
    size_t d_k = attn_head_dim(&layer->geometry),
           together = step == d_k ? heads : 1; /* whose columns are neighbours */
    for (size_t i = 0; i < heads; i += together) {
        attn_linear w = attn_linear_rows(map, (head0 + i) * d_k, together * d_k);
        p->linear(y + i * step, ldy, latent, w.in, &w, rows);
    }
}

static void fold_query(float *y, size_t ldy, const attn_layer *layer, size_t head, const float *q, size_t ldq,
                       size_t rows, float *tmp, const attn_products *p) {
    (void)tmp;
    size_t d_k = attn_head_dim(&layer->geometry);
    attn_linear w = attn_linear_rows(&layer->k_expand, head * d_k, d_k);
    p->fold(y, ldy, q, ldq, &w, rows);
}

static const attn_latent_maps maps = {expand, fold_query};

static void scalar(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                   void *workspace) {
    attn_latent_scalar(out, layer, cache, call, workspace, &maps);
}

static void blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                 void *workspace) {
    attn_latent_blas(out, layer, cache, call, workspace, &maps, &attn_way_blas);
}

static void fused(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                  void *workspace) {
    attn_latent_blas(out, layer, cache, call, workspace, &maps, &attn_way_fused);
}

const attn_variant attn_variant_mla_simple = {
    .name = "mla_simple",
    .summary = "latent attention, K and V expanded from the cached latent by one matrix each",
    .has_latent = true,
    .is_softmax = true,
    .forgets = true,
    .tensors = tensors,
    .cache_slots = attn_latent_slots,
    .cache_bytes = cache_bytes,
    .cost = cost,
    .path_flops = path_flops,
    .impls = {{"scalar", attn_latent_scalar_workspace, scalar, attn_scalar_position_flops},
              {"blas", attn_latent_blas_workspace, blas, attn_latent_blas_position_flops, .f32_only = true},
              {"fused", attn_latent_fused_workspace, fused, attn_latent_fused_position_flops, .shares = true,
               .packs = true}}};
