/* Visiting the tensors of a model part by part. Private to impl/. Each function sets the sizes of what it
 * visits and calls the visitor with the name below the prefix. */
#ifndef IMPL_ENCODER_WALK_H
#define IMPL_ENCODER_WALK_H

#include "attn/attention.h"

enum { ATTN_PREFIX_MAX = 32 };

/* LayerNorm, or BatchNorm with its running statistics (mean and variance NULL in a LayerNorm). */
typedef struct attn_norm {
    float *weight, *bias, *mean, *variance; /* [width] */
    size_t width;
} attn_norm;

typedef struct attn_walk {
    attn_tensor_visitor *visit;
    void *context;
    attn_error *error;
    char prefix[ATTN_PREFIX_MAX]; /* "encoders.3." */
} attn_walk;

size_t attn_tensor_count(const attn_tensor *tensor); /* its elements */

/* "NAME.SUFFIX", or "NAME" when suffix is "". */
int attn_walk_tensor(const attn_walk *walk, const char *name, const char *suffix, float **data, size_t rank,
                     const size_t *dims);
int attn_walk_linear(const attn_walk *walk, const char *name, attn_linear *linear, size_t out, size_t in);
/* A linear map that checkpoints keep as a convolution over one frame. */
int attn_walk_pointwise(const attn_walk *walk, const char *name, attn_linear *linear, size_t out, size_t in);
int attn_walk_layer_norm(const attn_walk *walk, const char *name, attn_norm *norm, size_t width);
int attn_walk_batch_norm(const attn_walk *walk, const char *name, attn_norm *norm, size_t width);
/* The tensors of an attention layer, under "NAME." (NAME may be empty). */
int attn_walk_attention(const attn_walk *walk, const char *name, attn_layer *layer,
                        const attn_variant *variant);

void attn_norm_free(attn_norm *norm);

#endif
