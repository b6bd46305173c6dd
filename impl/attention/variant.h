/* What the files of the variants share. Private to impl/attention. */
#ifndef IMPL_ATTENTION_VARIANT_H
#define IMPL_ATTENTION_VARIANT_H

#include "attn/attention.h"

#define VARIANT(name) extern const attn_variant attn_variant_##name;
#include "impl/attention/variants.inc"
#undef VARIANT

/* For attn_variant.tensors. columns 0 makes a vector. */
int attn_visit_tensor(attn_tensor_visitor *visit, void *context, const char *name, float **data,
                      size_t offset, size_t rows, size_t columns, attn_error *error);
/* The weight, [rows, columns], of a map or, from `offset` on, of a part of it. */
int attn_visit_weight(attn_tensor_visitor *visit, void *context, const char *name, attn_linear *map,
                      size_t offset, size_t rows, size_t columns, attn_error *error);
int attn_visit_linear(attn_tensor_visitor *visit, void *context, const char *name, attn_linear *linear,
                      size_t out, size_t in, attn_error *error);

/* FLOPs of y = x W^T for `rows` rows of x. */
static inline double attn_linear_flops(size_t rows, size_t out, size_t in) {
    return 2.0 * (double)rows * (double)out * (double)in;
}

/* FLOPs that every softmax type shares: q_proj and out_proj. */
double attn_query_flops(const attn_geometry *g, size_t batch, size_t frames);

/* Weights, input, output and cache, each once. */
double attn_least_bytes(const attn_variant *variant, const attn_geometry *g, size_t batch, size_t frames,
                        size_t keys, attn_element type);

/* How many keys of utterance b count: those before its length. `keys` is the number held after appending. */
size_t attn_valid_keys(const attn_cache *cache, const attn_call *call, size_t b, size_t keys);
/* How many frames of this call count for utterance b; `held` is the number of frames in the cache before the
 * call. */
size_t attn_valid_frames(const attn_cache *cache, const attn_call *call, size_t b, size_t held);

/* Positions that a call scores: rel_pos -(T-1)..L-1 (L + T - 1 of them; none for no frames), rel_pos_wenet
 * one a key; 0 without rel_pos*. */
size_t attn_position_count(const attn_geometry *g, size_t frames, size_t keys);
/* Position of the call's first query against key 0, `held` frames having been in the cache before the
 * call. */
long attn_first_position(const attn_geometry *g, const attn_cache *cache, const attn_call *call, size_t held);

#endif
