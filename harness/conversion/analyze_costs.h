/* What the layers of a model cost: bytes of cache, parameters, and the time of one new frame. */
#ifndef HARNESS_CONVERSION_ANALYZE_COSTS_H
#define HARNESS_CONVERSION_ANALYZE_COSTS_H

#include "attn/model.h"

#include <jansson.h>

/* Bytes of the cache of a layer that keeps that many frames. */
size_t analyze_cache_bytes(const attn_config *config, size_t layer, size_t frames);

/* Adds them to the rows, one a layer, and their sums to `output`. The keys end in `ending`: "_mha" for the mha model.
 * Bytes are for a cache of `keys` frames. The time is the median of `runs` (0: none) with as many keys; one that could
 * not be measured is null. */
int analyze_add_costs(json_t *rows, json_t *output, attn_model *model, const char *ending, size_t keys,
                      size_t runs, attn_error *error);

#endif
