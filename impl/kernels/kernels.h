/* Building blocks of the implementations. Private to impl/. Pure: no allocation, no failure.
 * ..._scalar is the plain loop of the references (sums in double); ..._blas goes through OpenBLAS. */
#ifndef IMPL_KERNELS_KERNELS_H
#define IMPL_KERNELS_KERNELS_H

#include "attn/attention.h"

#include <stddef.h>

/* y [rows, out] = x [rows, in] W^T + b. ldy and ldx are the distances between rows in floats. */
void attn_linear_scalar(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows);
void attn_linear_blas(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows);
/* By a kernel of ours or through OpenBLAS, whichever is faster for that many rows. */
void attn_linear_fast(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows);

/* y [rows, in] = x [rows, out] W: the transposed map, without bias. */
void attn_fold_blas(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows);
void attn_fold_fast(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows);

/* A map and its transpose, in one of these ways. */
typedef void attn_map_function(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w,
                               size_t rows);
typedef struct attn_products {
    attn_map_function *linear, *fold;
} attn_products;

/* The rows first..first+count-1 of the map only: columns of y (heads of a stack, for example). */
attn_linear attn_linear_rows(const attn_linear *w, size_t first, size_t count);

/* C [m, n] = alpha A [m, k] B [n, k]^T + beta C; a matrix-vector product where m or n is 1. */
void attn_gemm_nt(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                  size_t ldb, float beta, float *c, size_t ldc);
/* C [m, n] = alpha A [m, k] B [k, n] + beta C. */
void attn_gemm_nn(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                  size_t ldb, float beta, float *c, size_t ldc);
/* C [m, n] = alpha A [k, m]^T B [k, n] + beta C. */
void attn_gemm_tn(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                  size_t ldb, float beta, float *c, size_t ldc);

/* Row functions, compiled once per instruction set in impl/kernels/isa/; attn_rows() picks by
 * attn_cpu_isa(). */
typedef struct attn_row_kernels {
    /* x[i] = exp(scale x[i] - max), returns the sum; n may be 0 (returns 0). The largest entry becomes 1. */
    float (*softmax_numerators)(float *x, size_t n, float scale);
    void (*scale)(float *x, size_t n, float factor);
    void (*elu_plus_one)(float *x, size_t n); /* x > 0: x + 1, else exp(x) */
    /* n sines, then n cosines, of the sums of the angles whose sines and cosines are in a and b. With any
     * pair (x, y) in a's place: x and y turned by b's angle. */
    void (*add_angles)(float *sum, const float *a, const float *b, size_t n);
} attn_row_kernels;
const attn_row_kernels *attn_rows(void);

#endif
