/* The parts of an encoder. Private to impl/. Pure: no allocation, no failure. */
#ifndef ATTN_ENCODER_H
#define ATTN_ENCODER_H

#include "impl/model/walk.h"

/* y [rows, width] = LayerNorm(x): (x - mean) / sqrt(variance + eps) weight + bias over each row. y may be x.
 */
void attn_layer_norm_scalar(float *y, const float *x, const attn_norm *norm, size_t rows, double eps);

#endif
