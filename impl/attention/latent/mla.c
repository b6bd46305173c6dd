/* MLA: one latent c per frame, and for each head a two-stage expansion K_i = (c A_i) B_i (DeepSeek-V2 2024,
 * eq. 9-11, with the per-head factors of the project's paper). The heads' matrices are kept stacked. */
#include "impl/attention/latent/latent.h"
#include "impl/attention/scalar.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <stdio.h>

/* All heads' weights, then all heads' biases: so each stack is visited from end to end. */
static int visit_stack(attn_tensor_visitor *visit, void *context, const char *name, const attn_geometry *g,
                       attn_linear *stack, size_t in, attn_error *error) {
    size_t d_k = attn_head_dim(g);
    char full[64];
    stack->out = g->d_model;
    stack->in = in;
    for (size_t head = 0; head < g->num_heads; head++) {
        snprintf(full, sizeof full, "%s.%zu.weight", name, head);
        if (attn_visit_weight(visit, context, full, stack, head * d_k * in, d_k, in, error))
            return -1;
    }
    for (size_t head = 0; head < g->num_heads; head++) {
        snprintf(full, sizeof full, "%s.%zu.bias", name, head);
        if (attn_visit_tensor(visit, context, full, &stack->bias, head * d_k, d_k, 0, error))
            return -1;
    }
    return 0;
}

static int tensors(attn_layer *layer, attn_tensor_visitor *visit, void *context, attn_error *error) {
    const attn_geometry *g = &layer->geometry;
    size_t d_k = attn_head_dim(g);
    if (attn_visit_linear(visit, context, "kv_compress", &layer->kv_compress, g->latent_dim, g->d_model,
                          error) ||
        visit_stack(visit, context, "k_expand_A", g, &layer->k_expand_a, g->latent_dim, error) ||
        visit_stack(visit, context, "v_expand_A", g, &layer->v_expand_a, g->latent_dim, error) ||
        visit_stack(visit, context, "k_expand_B", g, &layer->k_expand_b, d_k, error))
        return -1;
    return visit_stack(visit, context, "v_expand_B", g, &layer->v_expand_b, d_k, error);
}

static size_t cache_bytes(const attn_geometry *g, size_t batch, size_t keys, attn_element type) {
    return batch * keys * attn_element_row_bytes(type, g->latent_dim);
}

static double path_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path) {
    double row =
        attn_linear_flops(1, g->d_model, g->latent_dim) + attn_linear_flops(1, g->d_model, attn_head_dim(g));
    return attn_latent_flops(g, batch, frames, keys, path, row);
}

static attn_cost cost(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                      attn_element type) {
    path = attn_path_resolve(&attn_variant_mla, g, batch, frames, keys, path);
    return (attn_cost){.flops = path_flops(g, batch, frames, keys, path),
                       .bytes = attn_least_bytes(&attn_variant_mla, g, batch, frames, keys, type)};
}

static void expand(float *y, size_t ldy, size_t step, const attn_layer *layer, bool values, size_t head0,
                   size_t heads, const float *latent, size_t rows, float *tmp, const attn_products *p) {
    size_t d_k = attn_head_dim(&layer->geometry), width = heads * d_k;
    attn_linear a = attn_linear_rows(values ? &layer->v_expand_a : &layer->k_expand_a, head0 * d_k, width);
    p->linear(tmp, width, latent, a.in, &a, rows);
    for (size_t i = 0; i < heads; i++) {
        attn_linear b =
            attn_linear_rows(values ? &layer->v_expand_b : &layer->k_expand_b, (head0 + i) * d_k, d_k);
        p->linear(y + i * step, ldy, tmp + i * d_k, width, &b, rows);
    }
}

static void fold_query(float *y, size_t ldy, const attn_layer *layer, size_t head, const float *q, size_t ldq,
                       size_t rows, float *tmp, const attn_products *p) {
    size_t d_k = attn_head_dim(&layer->geometry);
    attn_linear b = attn_linear_rows(&layer->k_expand_b, head * d_k, d_k);
    attn_linear a = attn_linear_rows(&layer->k_expand_a, head * d_k, d_k);
    p->fold(tmp, d_k, q, ldq, &b, rows);
    p->fold(y, ldy, tmp, d_k, &a, rows);
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

const attn_variant attn_variant_mla = {
    .name = "mla",
    .summary = "multi-head latent attention: a two-stage expansion of the cached latent for each head",
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
