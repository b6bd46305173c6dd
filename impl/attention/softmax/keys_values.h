/* Softmax attention that caches keys and values for each head: mha (h_kv = h) and gqa. Private to
 * impl/attention. */
#ifndef IMPL_ATTENTION_SOFTMAX_KEYS_VALUES_H
#define IMPL_ATTENTION_SOFTMAX_KEYS_VALUES_H

#include "attn/attention.h"

int attn_kv_tensors(attn_layer *layer, attn_tensor_visitor *visit, void *context, attn_error *error);
size_t attn_kv_slots(const attn_geometry *g, attn_cache_slot slot[ATTN_CACHE_SLOTS]);
double attn_kv_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys);

size_t attn_kv_scalar_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                attn_path path, size_t threads);
void attn_kv_scalar(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                    void *workspace);
double attn_kv_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                   attn_path path);
size_t attn_kv_blas_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                              attn_path path, size_t threads);
void attn_kv_blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                  void *workspace);
double attn_kv_fused_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                    attn_path path);
size_t attn_kv_fused_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                               attn_path path, size_t threads);
void attn_kv_fused(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                   void *workspace);

#endif
