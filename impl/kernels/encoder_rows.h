/* Row functions of the encoders, compiled once per instruction set in impl/kernels/isa/encoder_rows.c.
 * Pure. */
#ifndef IMPL_KERNELS_ENCODER_ROWS_H
#define IMPL_KERNELS_ENCODER_ROWS_H

#include <stddef.h>

typedef struct attn_encoder_row_kernels {
    /* y = (x - mean) / sqrt(variance + eps) weight + bias; y may be x. */
    void (*layer_norm)(float *y, const float *x, const float *weight, const float *bias, size_t n, float eps);
    void (*swish)(float *x, size_t n);               /* x sigmoid(x) */
    void (*gelu)(float *x, size_t n);                /* x (1 + erf(x / sqrt 2)) / 2 */
    void (*glu)(float *y, const float *x, size_t n); /* y[i] = x[i] sigmoid(x[n + i]) */
    void (*multiply)(float *y, const float *x, size_t n);
    void (*add_scaled)(float *y, const float *x, size_t n, float factor);
    /* y [rows, channels], x [rows + kernel - 1, channels], taps [kernel, channels]. */
    void (*depthwise)(float *y, const float *x, const float *taps, const float *bias, size_t rows,
                      size_t channels, size_t kernel);
    /* 5 by 5 positions of a 3x3 convolution of stride 2 of one channel, with ReLU, as Winograd's F(2, 2) takes them
     * (impl/encoder/subsample_fast.c): in each direction x0 to x4 become x0 - x2, x2, x4 - x2, x1, x3. y [25] rows of
     * `channels`, `step` apart; x rows are ldx apart; taps [3, 3, channels]. Positions from `rows` and `columns` on (3
     * or 5) are zeros, and nothing of x is read for them. */
    void (*conv3x3_tile)(float *y, size_t step, const float *x, size_t ldx, size_t rows, size_t columns,
                         const float *taps, const float *bias, size_t channels);
} attn_encoder_row_kernels;
const attn_encoder_row_kernels *attn_encoder_rows(void); /* for attn_cpu_isa() */

#endif
