/* Softmax attention over a cached latent: mla_simple and mla, each expanding or absorbing. Private to
 * impl/attention.
 *
 * expand: K = E_k(c), V = E_v(c) for every cached latent c, then attention as usual.
 * absorb: (q . E_k(c)) is (E_k^T q) . c plus a term that is the same for every key, which softmax cancels;
 * and sum_j w_j E_v(c_j) is E_v(sum_j w_j c_j), because the weights sum to one. */
#ifndef IMPL_ATTENTION_LATENT_LATENT_H
#define IMPL_ATTENTION_LATENT_LATENT_H

#include "impl/attention/softmax/softmax_fused.h"

/* How a variant gets keys and values out of its latent. tmp is workspace of rows heads d_k floats. */
typedef struct attn_latent_maps {
    /* Keys (or values) of heads head0 .. head0 + heads - 1 for latents [rows, d_c]: [rows, d_k] of a head, rows ldy apart,
     * is at y + (head - head0) step. */
    void (*expand)(float *y, size_t ldy, size_t step, const attn_layer *layer, bool values, size_t head0,
                   size_t heads, const float *latent, size_t rows, float *tmp, const attn_products *p);
    /* y [rows, d_c] = E_k^T q of one head, for q [rows, d_k]. */
    void (*fold_query)(float *y, size_t ldy, const attn_layer *layer, size_t head, const float *q, size_t ldq,
                       size_t rows, float *tmp, const attn_products *p);
} attn_latent_maps;

size_t attn_latent_slots(const attn_geometry *g, attn_cache_slot slot[ATTN_CACHE_SLOTS]);

/* FLOPs given those of one row through E_k, for all heads (E_v costs the same). */
double attn_latent_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                         double row_flops);

/* Workspace and forward for any maps; the variants bind their own. */
size_t attn_latent_scalar_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                    attn_path path, size_t threads);
void attn_latent_scalar(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                        void *workspace, const attn_latent_maps *maps);
double attn_latent_fused_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                        attn_path path);
size_t attn_latent_fused_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                   attn_path path, size_t threads);
double attn_latent_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                       attn_path path);
size_t attn_latent_blas_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                  attn_path path, size_t threads);
void attn_latent_blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                      void *workspace, const attn_latent_maps *maps, const attn_way *way);

#endif
