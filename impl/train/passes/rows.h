/* Row functions of training, forward and backward side by side; compiled once per instruction set in
 * impl/train/passes/isa/rows.c, and in double for the tests. Pure. In a backward function dy is the gradient of the
 * loss at the output, and dx, dw and db are added to unless the comment says otherwise. */
#ifndef TRAIN_ROWS_H
#define TRAIN_ROWS_H

#include "impl/train/passes/real.h"

#include <stdint.h>

typedef struct attn_train_row_kernels {
    void (*add)(attn_real *y, const attn_real *x, size_t n, attn_real factor);            /* y += factor x */
    void (*multiply)(attn_real *y, const attn_real *a, const attn_real *b, size_t n);     /* y = a b */
    void (*multiply_add)(attn_real *y, const attn_real *a, const attn_real *b, size_t n); /* y += a b */
    void (*add_columns)(attn_real *sum, const attn_real *x, size_t rows, size_t n); /* sum += each row */

    /* normal = (x - mean) scale, y = normal w + b; returns scale = 1 / sqrt(variance + eps). */
    attn_real (*layer_norm)(attn_real *y, attn_real *normal, const attn_real *x, const attn_real *w,
                            const attn_real *b, size_t n, attn_real eps);
    /* g = dy w; dx += scale (g - mean(g) - normal mean(g normal)); dw += dy normal; db += dy. */
    void (*layer_norm_backward)(attn_real *dx, attn_real *dw, attn_real *db, const attn_real *dy,
                                const attn_real *normal, const attn_real *w, size_t n, attn_real scale);

    /* BatchNorm over rows: mean and variance of each column; then normal = (x - mean) scale, y = normal w + b. */
    void (*moments)(attn_real *mean, attn_real *variance, const attn_real *x, size_t rows, size_t n);
    void (*normalize)(attn_real *y, attn_real *normal, const attn_real *x, const attn_real *mean,
                      const attn_real *scale, const attn_real *w, const attn_real *b, size_t n);

    void (*swish)(attn_real *y, const attn_real *x, size_t n); /* x s, s = 1 / (1 + exp(-x)) */
    /* dx = dy s (1 + x (1 - s)) */
    void (*swish_backward)(attn_real *dx, const attn_real *dy, const attn_real *x, size_t n);
    void (*gelu)(attn_real *y, const attn_real *x, size_t n); /* x P(x), P = (1 + erf(x / sqrt 2)) / 2 */
    /* dx = dy (P(x) + x exp(-x^2 / 2) / sqrt(2 pi)) */
    void (*gelu_backward)(attn_real *dx, const attn_real *dy, const attn_real *x, size_t n);
    void (*glu)(attn_real *y, const attn_real *x, size_t n); /* y[i] = a s(b), a = x[i], b = x[n + i] */
    /* da = dy s(b), db = dy a s(b) (1 - s(b)) */
    void (*glu_backward)(attn_real *dx, const attn_real *dy, const attn_real *x, size_t n);
    void (*elu_plus_one)(attn_real *x, size_t n); /* in place: x + 1 above 0, else exp(x) */
    /* In place from the output y: dx = dy (1 where y > 1, else y). */
    void (*elu_plus_one_backward)(attn_real *dx, const attn_real *y, size_t n);

    void (*softmax)(attn_real *x, size_t n, attn_real scale); /* in place: exp(scale x) / sum */
    /* In place: dx = scale p (dp - sum(dp p)). */
    void (*softmax_backward)(attn_real *dp, const attn_real *p, size_t n, attn_real scale);

    /* y [rows, n] = bias + sum_j x[r + j] taps[j]; x [rows + kernel - 1, n], taps [kernel, n]. */
    void (*depthwise)(attn_real *y, const attn_real *x, const attn_real *taps, const attn_real *bias,
                      size_t rows, size_t n, size_t kernel);
    /* dx[r + j] += dy[r] taps[j]; dtaps[j] += dy[r] x[r + j]. */
    void (*depthwise_backward)(attn_real *dx, attn_real *dtaps, const attn_real *dy, const attn_real *x,
                               const attn_real *taps, size_t rows, size_t n, size_t kernel);

    /* y [rows, n] = max(y + bias, 0) */
    void (*bias_relu)(attn_real *y, const attn_real *bias, size_t rows, size_t n);
    /* dy [rows, n] = 0 where y is 0; dbias += each row. */
    void (*relu_backward)(attn_real *dy, attn_real *dbias, const attn_real *y, size_t rows, size_t n);

    /* A row of a 3x3 stride-2 convolution of one channel with ReLU: y [width, n] from 3 rows of x, ldx apart;
     * taps [3, 3, n]. */
    void (*conv3x3)(attn_real *y, const attn_real *x, size_t ldx, const attn_real *taps,
                    const attn_real *bias, size_t width, size_t n);
    /* dtaps += x dz, dz [width, n] behind the ReLU. */
    void (*conv3x3_backward)(attn_real *dtaps, const attn_real *dz, const attn_real *x, size_t ldx,
                             size_t width, size_t n);
    /* x *= 1 / keep where the bits of (key, counter) say so, else 0: see attn_train_dropout. x begins 4 `first` elements
     * into what has the bits. */
    void (*dropout)(attn_real *x, size_t n, uint32_t first, float keep, const uint32_t key[2],
                    const uint32_t counter[3]);
} attn_train_row_kernels;
const attn_train_row_kernels *attn_train_rows(void); /* for attn_cpu_isa() */

#endif
