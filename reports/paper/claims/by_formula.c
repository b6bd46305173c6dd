/* Claims that arithmetic decides: cache bytes, parameters and FLOPs by the registry's formulas, at the geometry that
 * the paper names. */
#include "attn/variant.h"
#include "reports/paper/claims/claim.h"
#include "reports/paper/paper_formula.h"

enum { D_MODEL = 512, HEADS = 8, FRAMES = 1000 };

static attn_geometry geometry(const attn_variant *variant, size_t latent_dim) {
    attn_geometry g = {.d_model = D_MODEL, .num_heads = HEADS, .latent_dim = latent_dim};
    attn_geometry_complete(&g, variant, NULL, NULL);
    return g;
}

static double bytes_of(const char *type, size_t latent_dim) {
    const attn_variant *variant = attn_variant_find(type);
    attn_geometry g = geometry(variant, latent_dim);
    return (double)variant->cache_bytes(&g, 1, FRAMES, ATTN_ELEMENT_F32);
}

static double parameters_of(const char *type, size_t latent_dim) {
    const attn_variant *variant = attn_variant_find(type);
    attn_geometry g = geometry(variant, latent_dim);
    return (double)attn_layer_parameters(variant, &g);
}

static double flops_of(const char *type, size_t latent_dim, size_t frames, size_t keys) {
    const attn_variant *variant = attn_variant_find(type);
    attn_geometry g = geometry(variant, latent_dim);
    attn_path path = attn_path_resolve(variant, &g, 1, frames, keys, ATTN_PATH_AUTO);
    return variant->cost(&g, 1, frames, keys, path, ATTN_ELEMENT_F32).flops;
}

static void claimed_size(claim_verdict *v) {
    claim_size(v, "one layer, d_model %d, %d heads", D_MODEL, HEADS);
}

void claim_linear_order(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    double once = flops_of("linear", 0, FRAMES, FRAMES),
           twice = flops_of("linear", 0, 2 * FRAMES, 2 * FRAMES);
    double softmax = flops_of("mha", 0, 2 * FRAMES, 2 * FRAMES) / flops_of("mha", 0, FRAMES, FRAMES);
    claim_add(v, claim_holds(twice == 2 * once), "%.4g times the FLOPs at %d frames against %d (mha: %.4g)",
              twice / once, 2 * FRAMES, FRAMES, softmax);
    claimed_size(v);
}

static void reduction(claim_verdict *v, size_t latent_dim, double claimed) {
    double saved = 100 * (1 - bytes_of("mla", latent_dim) / bytes_of("mha", 0));
    double input = 100 * (1 - (double)latent_dim / D_MODEL);
    claim_add(v, claim_holds(saved == claimed),
              "%.4g%% at latent_dim %zu (%.4g%% against keeping the layer's input)", saved, latent_dim,
              input);
    claimed_size(v);
}

void claim_reduction_half(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    reduction(v, D_MODEL, 50);
}

void claim_reduction_quarter(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    reduction(v, D_MODEL / 2, 75);
}

void claim_savings(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    double saved = 100 * (1 - bytes_of("mla", D_MODEL) / bytes_of("mha", 0));
    double input = 100 * (1 - bytes_of("mla", D_MODEL) / ((double)FRAMES * D_MODEL * sizeof(float)));
    claim_add(v, claim_holds(saved >= 40 && saved <= 60),
              "%.4g%% of the KV cache at latent_dim %d, and %.4g%% against keeping the layer's input", saved,
              D_MODEL, input);
    claimed_size(v);
}

void claim_more_parameters(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    double mha = parameters_of("mha", 0), full = parameters_of("mla", D_MODEL);
    claim_add(v, claim_holds(full > mha), "%.0f against %.0f at latent_dim %d; %.0f at %d, which is %s", full,
              mha, D_MODEL, parameters_of("mla", D_MODEL / 2), D_MODEL / 2,
              parameters_of("mla", D_MODEL / 2) > mha ? "more too" : "fewer than MHA");
    claimed_size(v);
}

void claim_fewer_parameters(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    for (size_t latent = D_MODEL; latent >= D_MODEL / 2; latent /= 2)
        claim_add(v, claim_holds(parameters_of("mla_simple", latent) < parameters_of("mla", latent)),
                  "%.0f against %.0f at latent_dim %zu", parameters_of("mla_simple", latent),
                  parameters_of("mla", latent), latent);
    claimed_size(v);
}

void claim_same_cache(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    for (size_t latent = D_MODEL; latent >= D_MODEL / 2; latent /= 2)
        claim_add(v, claim_holds(bytes_of("mla_simple", latent) == bytes_of("mla", latent)),
                  "%.0f and %.0f bytes at latent_dim %zu", bytes_of("mla_simple", latent),
                  bytes_of("mla", latent), latent);
    claim_size(v, "one layer, d_model %d, %d heads, %d frames", D_MODEL, HEADS, FRAMES);
}

void claim_larger_latent(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    static const size_t frames[] = {1, 16, FRAMES};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        double before = flops_of("mla", D_MODEL, frames[i], FRAMES);
        double after = flops_of("mla", D_MODEL * 9 / 8, frames[i], FRAMES);
        claim_add(v, claim_holds(after < before),
                  "%zu of %d frames new: %.4g times the FLOPs at latent_dim %d", frames[i], FRAMES,
                  after / before, D_MODEL * 9 / 8);
    }
    claimed_size(v);
}
