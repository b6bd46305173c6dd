/* Weights of one attention layer. */
#ifndef ATTN_LAYER_H
#define ATTN_LAYER_H

#include "attn/error.h"
#include "attn/geometry.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One linear map, y = x W^T + b as in PyTorch: weight [out, in], bias [out] or NULL. Whoever made it owns the
 * memory. `panels` is a copy of the weight as fast maps read it, of attn_layer_pack or attn_model_pack, or NULL. */
typedef struct attn_linear {
    float *weight, *bias;
    const float *panels;
    size_t out, in;
} attn_linear;

/* Only what the variant and pos_enc use is set; other pointers are NULL. */
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
    float *memory, *packed; /* of attn_layer_create and attn_layer_pack; NULL when a model owns the weights */
} attn_layer;

/* A tensor of a layer or model. `name` is below the prefix of what is visited ("k_expand_A.3.weight").
 * `*data` is where the owner keeps its pointer; the tensor begins `offset` floats into it, which is not 0
 * where heads are stacked. A stack is visited from end to end, so that tensors placed one after the other in
 * this order come out right. */
typedef struct attn_tensor {
    char name[64];
    float **data;
    size_t offset;
    size_t rank, dims[4];
    attn_linear *map; /* where it is the weight, or a part of it, of a linear map; else NULL */
} attn_tensor;

/* Called with each tensor, which it may not keep. Returns 0, or -1 and an error, which ends the visit. */
typedef int attn_tensor_visitor(void *context, const attn_tensor *tensor, attn_error *error);

struct attn_variant;

/* Visits every tensor in checkpoint order: q_proj, the variant's own, out_proj, positions. layer->geometry
 * must be complete; the sizes of the layer's maps are set on the way. Returns 0, or what the visitor
 * returned. */
int attn_layer_tensors(attn_layer *layer, const struct attn_variant *variant, attn_tensor_visitor *visit,
                       void *context, attn_error *error);

/* How many weights a layer has, biases included. */
size_t attn_layer_parameters(const struct attn_variant *variant, const attn_geometry *g);

/* One layer with weights of its own, uniform in +-1/sqrt(in) as torch.nn.Linear starts, the same for the same
 * seed on every machine: for checks and benchmarks. The geometry must be complete. Returns 0, or -1 and an
 * error when memory is refused. Free with attn_layer_free. */
int attn_layer_create(attn_layer *layer, const struct attn_variant *variant, const attn_geometry *geometry,
                      uint64_t seed, attn_error *error);
void attn_layer_free(attn_layer *layer); /* only what was made here; a zeroed layer is fine */

/* Copies the weights of the layer's maps as fast implementations read them, for calls of some rows to be faster. The
 * weights must not change afterwards. Takes as many bytes as the weights; on a CPU without vectors for it does nothing.
 * Returns 0, or -1 and an error when memory is refused. */
int attn_layer_pack(attn_layer *layer, const struct attn_variant *variant, attn_error *error);

#ifdef __cplusplus
}
#endif
#endif
