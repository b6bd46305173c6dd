/* The scalar reference at work for set-ups and checks. Private to bench/. */
#ifndef BENCH_KINDS_ATTENTION_REFERENCE_H
#define BENCH_KINDS_ATTENTION_REFERENCE_H

#include "bench/case.h"

/* FLOPs of the reference for these numbers of queries and keys, by formula. */
double attention_reference_flops(const bench_case *row, size_t queries, size_t keys);

/* One call, by the path that costs it least. */
int attention_reference_run(float *out, const attn_variant *variant, const attn_layer *layer,
                            attn_cache *cache, const attn_call *call, attn_error *error);

/* Appends `count` frames of each utterance to the cache; frames [B, period, d_model] repeat. The call says B and where
 * positions come from. Keys of one period are computed and laid out over and over. */
int attention_append(attn_cache *cache, const attn_layer *layer, const attn_call *call, const float *frames,
                     size_t period, size_t count, attn_error *error);

size_t attention_slot_heads(const attn_cache *cache, size_t slot); /* 1 where the slot has no head axis */

#endif
