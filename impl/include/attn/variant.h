/* The registry of attention types: one row a variant.
 *
 *   mha         Vaswani et al. 2017, eq. 1            softmax(Q K^T / sqrt(d_k)) V for each head
 *   gqa         Ainslie et al. 2023, section 2        h / h_kv query heads share one key/value head
 *   mla_simple  DeepSeek-V2 (2024), eq. 9-11          K, V expanded from one cached latent per frame
 *   mla         the same with a two-stage expansion for each head
 *   linear      Katharopoulos et al. 2020, eq. 5-7    phi(q)^T S / (phi(q)^T z + 1e-6), phi = elu + 1
 */
#ifndef ATTN_VARIANT_H
#define ATTN_VARIANT_H

#include "attn/cache.h"
#include "attn/call.h"
#include "attn/cpu.h"
#include "attn/geometry.h"
#include "attn/layer.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ATTN_IMPLS = 4 };

typedef struct attn_cost {
    double flops; /* one multiply-add is 2 */
    double bytes; /* least traffic: weights, input, output and cache each once */
} attn_cost;

typedef struct attn_variant {
    const char *name;    /* attention_type */
    const char *summary; /* one line for people */
    bool has_latent;     /* takes latent_dim, and a path */
    bool has_kv_heads;   /* takes num_kv_heads */
    bool is_softmax;     /* takes rel_pos*, and costs T L */
    bool forgets;        /* the cache can drop its oldest frames */
    /* Visits the tensors beyond q_proj, out_proj and positions. */
    int (*tensors)(attn_layer *layer, attn_tensor_visitor *visit, void *context, attn_error *error);
    /* Fills slot[] and returns how many there are. */
    size_t (*cache_slots)(const attn_geometry *g, attn_cache_slot slot[ATTN_CACHE_SLOTS]);
    /* Bytes of cache for B utterances and L frames, written out as in the paper; the rows of k, v and latent have this
     * type. */
    size_t (*cache_bytes)(const attn_geometry *g, size_t batch, size_t keys, attn_element type);
    /* Without what rel_pos* adds: see attn_impl_cost. */
    attn_cost (*cost)(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                      attn_element type);
    /* FLOPs of `cost` for a path other than AUTO; only with a latent. Every call compares its paths by it. */
    double (*path_flops)(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path);
    attn_impl impls[ATTN_IMPLS]; /* impls[0] is the scalar reference; the rest fastest last; name NULL ends */
} attn_variant;

/* NULL-terminated, in the order of tables. */
extern const attn_variant *const attn_variants[];
const attn_variant *attn_variant_find(const char *name); /* NULL when unknown */

/* What people may ask for: "auto" (the last of impls), "scalar", "blas" (matrix products), "fused" (one pass over
 * the keys), and attn_isa_names, each of which is the last of impls with our kernels held to that instruction
 * set. (Products that stay OpenBLAS's pick their own.) NULL-terminated. */
#define ATTN_IMPL_NAMES "auto", "scalar", "blas", "fused", "base", "avx2", "avx512"
extern const char *const attn_impl_names[];
const attn_impl *attn_impl_find(const attn_variant *variant, const char *name); /* NULL when unknown */
/* 0, or -1 and an error of code ATTN_ERROR_UNSUPPORTED: the implementation reads caches of this type. */
int attn_impl_reads(const attn_impl *impl, attn_element type, attn_error *error);
/* The limit for attn_cpu_limit while an implementation of this name runs; the widest where it sets none. */
attn_isa attn_impl_isa(const char *name);

/* AUTO to EXPAND or ABSORB, whichever has fewer FLOPs, ABSORB of equals; always EXPAND for variants without a
 * latent. */
attn_path attn_path_resolve(const attn_variant *variant, const attn_geometry *g, size_t batch, size_t frames,
                            size_t keys, attn_path path);
/* What a call over a cache of this type costs with this implementation, relative positions included: all its products,
 * with those that tiles compute beyond need; biases, softmax and the making of sinusoids are left out. */
attn_cost attn_impl_cost(const attn_variant *variant, const attn_impl *impl, const attn_geometry *g,
                         size_t batch, size_t frames, size_t keys, attn_path path, attn_element type);

#ifdef __cplusplus
}
#endif
#endif
