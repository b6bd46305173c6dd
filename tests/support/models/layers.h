/* Layers of MHA to convert, their inputs, and bounds found without LAPACK; every failure ends the test. */
#ifndef TESTS_SUPPORT_MODELS_LAYERS_H
#define TESTS_SUPPORT_MODELS_LAYERS_H

#include "attn/convert.h"

#include <stdint.h>

enum { D = 32, HEADS = 4, D_K = D / HEADS, FRAMES = 300 };

extern uint64_t layers_seed; /* of all that is drawn */

attn_layer layers_new(attn_pos_enc pos_enc);

/* The singular values [D] of that kind: flat, decaying, deficient or ill-conditioned. */
void layers_spectrum(double *sigma, const char *kind);

/* Keys and values get stacked weights of that spectrum. */
void layers_set_spectrum(attn_layer *layer, const double *sigma);

/* Correlated inputs: direction r has the standard deviation decay^r, around a mean of that size. free() it. */
float *layers_inputs(size_t frames, double decay, double mean, const double *directions);

/* out [frames, D] = the layer over x in one call. */
void layers_run(float *out, const attn_layer *layer, const char *type, const float *x, size_t frames);

/* Keys and values [frames, 2 D] that a layer makes of x: from its tensors, by plain loops. */
void layers_produce(double *y, const attn_layer *layer, const float *x, size_t frames);

/* |a - b| of the keys and values that both layers make of x. */
double layers_produced_error(const attn_layer *mha, const attn_layer *other, const float *x, size_t frames);

/* What any affine map of that rank must lose of what the layer makes of x: from the eigenvalues of the
 * covariance of what it makes. */
double layers_produced_bound(const attn_layer *mha, const float *x, size_t frames, size_t rank);

/* To `rank` latent dimensions or key/value heads; without inputs when x is NULL. */
attn_layer layers_convert(const attn_layer *mha, const char *type, attn_convert_method method, size_t rank,
                          const float *x, size_t frames, attn_convert_report *report);

#endif
