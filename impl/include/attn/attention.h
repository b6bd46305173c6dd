/* Attention over one layer: geometry, weights, KV cache, and the registry of variants.
 *
 * Words: B batch, T frames in this call, L keys attended to (cache plus this call), h query heads, h_kv
 * key/value heads, d_k = d_model / h, d_c = latent_dim. Row-major float32. Linear weights are [out, in] and
 * apply as y = x W^T + b.
 *
 *   mha         Vaswani et al. 2017, eq. 1            softmax(Q K^T / sqrt(d_k)) V for each head
 *   gqa         Ainslie et al. 2023, section 2        h / h_kv query heads share one key/value head
 *   mla_simple  DeepSeek-V2 (2024), eq. 9-11          K, V expanded from one cached latent per frame
 *   mla         the same with a two-stage expansion for each head
 *   linear      Katharopoulos et al. 2020, eq. 5-7    phi(q)^T S / (phi(q)^T z + 1e-6), phi = elu + 1
 *   rel_pos     Dai et al. 2019 (Transformer-XL), section 3.3, as used by Gulati et al. 2020
 */
#ifndef ATTN_ATTENTION_H
#define ATTN_ATTENTION_H

#include "attn/cpu.h"
#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum attn_pos_enc { ATTN_POS_NONE, ATTN_POS_ABS, ATTN_POS_REL, ATTN_POS_REL_WENET } attn_pos_enc;
extern const char *const attn_pos_enc_names[]; /* "none", "abs_pos", "rel_pos", "rel_pos_wenet", NULL */

typedef struct attn_geometry {
    size_t d_model, num_heads;
    size_t num_kv_heads; /* gqa; 0 elsewhere */
    size_t latent_dim;   /* mla, mla_simple; 0 elsewhere */
    attn_pos_enc pos_enc;
} attn_geometry;

static inline size_t attn_head_dim(const attn_geometry *g) {
    return g->d_model / g->num_heads;
}

/* One linear map; bias may be NULL. The model owns the memory. */
typedef struct attn_linear {
    float *weight, *bias;
    size_t out, in;
} attn_linear;

/* Weights of one attention layer. Only what the variant and pos_enc use is set. */
typedef struct attn_layer {
    attn_geometry geometry;
    attn_linear q_proj, out_proj;       /* [d_model, d_model] */
    attn_linear k_proj, v_proj;         /* mha, gqa, linear: [h_kv d_k, d_model] */
    attn_linear kv_compress;            /* mla*: [d_c, d_model] */
    attn_linear k_expand, v_expand;     /* mla_simple: [d_model, d_c] */
    attn_linear k_expand_a, v_expand_a; /* mla: heads stacked, [h d_k, d_c]; head i's rows start at i d_k */
    attn_linear k_expand_b, v_expand_b; /* mla: heads stacked, [h d_k, d_k] */
    attn_linear linear_pos;             /* rel_pos*: [d_model, d_model], no bias */
    float *pos_bias_u, *pos_bias_v;     /* rel_pos*: [h, d_k] */
    float *memory;                      /* of attn_layer_create; NULL when a model owns the weights */
} attn_layer;

/* Every tensor of a layer, in checkpoint order. `name` is below the layer's prefix ("k_expand_A.3.weight");
 * `*data` is where the layer keeps its pointer, set to `offset` floats into a stack when heads are stacked
 * (data + offset is the tensor; a stack is visited from end to end, so tensors placed one after the other in
 * this order come out right). */
typedef struct attn_tensor {
    char name[64];
    float **data;
    size_t offset;
    size_t rank, dims[4];
} attn_tensor;
typedef int attn_tensor_visitor(void *context, const attn_tensor *tensor, attn_error *error);

typedef enum attn_path { ATTN_PATH_AUTO, ATTN_PATH_EXPAND, ATTN_PATH_ABSORB } attn_path;
extern const char *const attn_path_names[]; /* "auto", "expand", "absorb", NULL */

/* ---- KV cache of one layer
 * ------------------------------------------------------------------------------------- */

enum { ATTN_CACHE_SLOTS = 2 };

/* One cached tensor: [B, heads, rows, width], without the head axis when heads is 0. rows 0 means one row a
 * frame: L of them, with room for the cache's capacity. */
typedef struct attn_cache_slot {
    const char *name; /* "k", "v", "latent", "state", "norm" */
    size_t heads, rows, width;
} attn_cache_slot;

typedef struct attn_cache {
    const struct attn_variant *variant;
    attn_geometry geometry;
    size_t batch, capacity;
    size_t length; /* frames held: keys 0..length-1 */
    size_t first;  /* stream position of key 0, so that dropped frames still count */
    size_t slots;
    attn_cache_slot slot[ATTN_CACHE_SLOTS];
    float *data[ATTN_CACHE_SLOTS]; /* [B, heads or 1, rows or capacity, width] */
} attn_cache;

/* Allocates an empty cache for `capacity` frames. Free with attn_cache_free (a zeroed cache is fine too). */
int attn_cache_init(attn_cache *cache, const struct attn_variant *variant, const attn_geometry *geometry,
                    size_t batch, size_t capacity, attn_error *error);
void attn_cache_free(attn_cache *cache);
void attn_cache_reset(attn_cache *cache); /* forgets all frames; allocates and frees nothing */

/* Drops all but the newest `frames`. A state that cannot forget some frames (linear) is only kept whole or,
 * for 0, cleared: see attn_variant.forgets. */
void attn_cache_keep(attn_cache *cache, size_t frames);

/* The row 0 of utterance b and head (0 without a head axis); rows are slot.width floats apart. */
float *attn_cache_rows(const attn_cache *cache, size_t slot, size_t b, size_t head);

/* The shape of a slot as design tables have it, with L = frames held. Returns the rank (3 or 4). */
size_t attn_cache_shape(const attn_cache *cache, size_t slot, size_t dims[4]);
void attn_cache_copy(const attn_cache *cache, size_t slot,
                     float *out); /* that many floats, without spare room */

/* Bytes asked of the allocator by this cache: read from the blocks, not computed. */
size_t attn_cache_bytes_live(const attn_cache *cache);

/* ---- Positions
 * ------------------------------------------------------------------------------------------------- */

/* Sinusoids as in Vaswani et al. 2017 section 3.5, sin and cos interleaved: table [count, d_model], row r is
 * position first + r (may be negative: the true sine of a negative angle). d_model may be odd. */
void attn_positions(float *table, long first, size_t count, size_t d_model);

enum { ATTN_SINUSOIDS_FINE = 256 };

/* The sinusoids of positions -reach .. reach, to float rounding, in a table of O((reach / 256 + 256) d_model)
 * floats: s(a + b) is made from s(a), a multiple of 256, and s(b), b below 256, by the addition theorem. */
typedef struct attn_sinusoids {
    size_t d_model, width; /* width of a row: d_model, rounded up to pairs of sin and cos */
    size_t reach;
    float *fine;   /* [256, width]: positions 0..255; all sines of a row come before its cosines */
    float *coarse; /* [.., width]: multiples of 256 from -reach - 256, rounded down, on */
} attn_sinusoids;

size_t attn_sinusoids_floats(size_t reach, size_t d_model);
int attn_sinusoids_init(attn_sinusoids *s, size_t reach, size_t d_model, attn_error *error);
void attn_sinusoids_free(attn_sinusoids *s); /* a zeroed one is fine too */
/* row [width] of position p, -reach - 256 .. reach: sin and cos interleaved, as attn_positions has them. */
void attn_sinusoids_row(const attn_sinusoids *s, float *row, long p);
/* The same with all sines before all cosines. */
void attn_sinusoids_halves(const attn_sinusoids *s, float *row, long p);

/* ---- One call
 * --------------------------------------------------------------------------------------------------- */

typedef struct attn_call {
    const float *x;       /* [B, T, d_model] */
    size_t batch, frames; /* B, T */
    const size_t *
        lengths; /* [B] valid frames since the stream began (padding is at or beyond them); NULL: all valid */
    attn_path path; /* mla*; AUTO takes the one with fewer FLOPs */
    /* rel_pos*: what the positions of this call reach. Under rel_pos a position is query minus key,
     * -(T-1)..L-1; under rel_pos_wenet it is the key's stream position. NULL otherwise; the scalar references
     * work without. */
    const attn_sinusoids *sinusoids;
    long position_shift; /* added to every position: 0, but in checks that put a query elsewhere */
} attn_call;

/* One implementation of a variant. Both functions are pure: no allocation, no failure.
 * forward appends the T frames of the call to the cache (which must have room), attends over everything in
 * it, and writes out [B, T, d_model], which must not overlap x. Masked keys contribute exactly nothing; a
 * query without any key gets a zero context, so its row is the bias of out_proj. */
typedef struct attn_impl {
    const char *name; /* "scalar", "blas" */
    /* Floats of workspace that forward needs for B utterances, at most T frames in a call and at most L keys.
     */
    size_t (*workspace)(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path);
    void (*forward)(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                    float *workspace);
    /* FLOPs that rel_pos* adds to attn_variant.cost, which implementations compute in different ways; 0
     * without rel_pos*. The path must not be AUTO. NULL where the variant takes no rel_pos*. */
    double (*position_flops)(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                             attn_path path);
} attn_impl;

/* ---- The registry: one row a variant
 * ----------------------------------------------------------------------------- */

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
    bool is_softmax;     /* takes rel_pos*, and costs T*L */
    bool forgets;        /* the cache can drop its oldest frames */
    /* Visits the tensors beyond q_proj, out_proj and positions. */
    int (*tensors)(attn_layer *layer, attn_tensor_visitor *visit, void *context, attn_error *error);
    /* Fills slot[] and returns how many there are. */
    size_t (*cache_slots)(const attn_geometry *g, attn_cache_slot slot[ATTN_CACHE_SLOTS]);
    /* Bytes of cache for B utterances and L frames, written out as in the paper; s bytes per element. */
    size_t (*cache_bytes)(const attn_geometry *g, size_t batch, size_t keys, size_t element);
    /* Without what rel_pos* adds: see attn_impl_cost. */
    attn_cost (*cost)(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path);
    attn_impl impls[ATTN_IMPLS]; /* impls[0] is the scalar reference; the rest fastest last; name NULL ends */
} attn_variant;

/* NULL-terminated, in the order of tables. */
extern const attn_variant *const attn_variants[];
const attn_variant *attn_variant_find(const char *name); /* NULL when unknown */

/* What people may ask for: "auto" (the last of impls), "scalar", "blas", and attn_isa_names, each of which is
 * the last of impls with our kernels held to that instruction set. (Matrix products stay OpenBLAS's, which
 * picks its own.) NULL-terminated. */
extern const char *const attn_impl_names[];
const attn_impl *attn_impl_find(const attn_variant *variant, const char *name); /* NULL when unknown */
/* The limit for attn_cpu_limit while an implementation of this name runs; the widest where it sets none. */
attn_isa attn_impl_isa(const char *name);
attn_path
attn_path_resolve(const attn_variant *variant, const attn_geometry *g, size_t batch, size_t frames,
                  size_t keys,
                  attn_path path); /* AUTO to EXPAND or ABSORB; EXPAND for variants without a latent */
/* What a call costs with this implementation of the variant, relative positions included: all its products,
 * with those that tiles compute beyond need; biases, softmax and the making of sinusoids are left out. */
attn_cost attn_impl_cost(const attn_variant *variant, const attn_impl *impl, const attn_geometry *g,
                         size_t batch, size_t frames, size_t keys, attn_path path);

/* Fills defaults (num_kv_heads max(1, h/4) or the next fewer that divide h, latent_dim d_model), clears what
 * the variant does not take, and checks: sizes positive, d_model divisible by num_heads, num_heads by
 * num_kv_heads, no rel_pos* without softmax, nothing overflows. `key` (may be NULL) gets the YAML key at
 * fault. */
int attn_geometry_complete(attn_geometry *g, const attn_variant *variant, const char **key,
                           attn_error *error);

/* Visits every tensor of a layer: q_proj, the variant's own, out_proj, positions. */
int attn_layer_tensors(attn_layer *layer, const attn_variant *variant, attn_tensor_visitor *visit,
                       void *context, attn_error *error);

/* One layer with weights of its own, uniform in +-1/sqrt(in) as torch.nn.Linear starts, the same for the same
 * seed on every machine: for checks and benchmarks. The geometry must be complete. */
int attn_layer_create(attn_layer *layer, const attn_variant *variant, const attn_geometry *geometry,
                      uint64_t seed, attn_error *error);
void attn_layer_free(attn_layer *layer); /* only what attn_layer_create made; a zeroed layer is fine */

size_t attn_layer_parameters(const attn_variant *variant, const attn_geometry *g);

#endif
