/* What is known of the inputs of a layer: the frames that an attn_input_hook sees, their mean and covariance. */
#ifndef IMPL_CONVERT_INPUTS_H
#define IMPL_CONVERT_INPUTS_H

#include "attn/convert.h"

/* The frames of x [batch, frames, d_model] that are not padding, one after another: [*count, d_model]. NULL when memory
 * is short; attn_free it. */
float *attn_valid_inputs(const float *x, size_t batch, size_t frames, const size_t *valid, size_t d_model,
                         size_t *count, attn_error *error);

typedef struct attn_moments {
    size_t d_model, frames;
    double *mean;       /* [d_model] */
    double *covariance; /* [d_model, d_model], lower half; divided by the number of frames */
    double trace;
    /* What share of the mean biases may rely on: 1, or less when so few inputs make it mostly chance. */
    double mean_trust;
    double unseen; /* variance of each direction that too few inputs leave open; 0 when there are enough */
} attn_moments;

/* Needs at least one frame. Fails when something is not finite. */
int attn_moments_make(attn_moments *m, const attn_layer_inputs *inputs, size_t d_model, attn_error *error);
void attn_moments_free(attn_moments *m);

/* Lower triangular [d_model, d_model] with root root^T = covariance + ridge I, and a trace of I more, as far
 * as it takes to be positive definite. */
int attn_moments_root(double *root, const attn_moments *m, double ridge, attn_error *error);

#endif
