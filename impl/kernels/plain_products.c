#include "impl/kernels/plain.h"

/* Sum over k of a[k step_a] b[k step_b]. */
static double dot(const float *a, size_t step_a, const float *b, size_t step_b, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i * step_a] * (double)b[i * step_b];
    return sum;
}

/* c = alpha product + beta c; what beta 0 overwrites may be anything. */
static void put(float *c, double product, float alpha, float beta) {
    *c = (float)(alpha * product + (beta == 0.0f ? 0.0 : (double)beta * *c));
}

void attn_plain_gemm_nt(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                        size_t ldb, float beta, float *c, size_t ldc) {
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            put(&c[i * ldc + j], dot(a + i * lda, 1, b + j * ldb, 1, k), alpha, beta);
}

void attn_plain_gemm_nn(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                        size_t ldb, float beta, float *c, size_t ldc) {
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            put(&c[i * ldc + j], dot(a + i * lda, 1, b + j, ldb, k), alpha, beta);
}

void attn_plain_gemm_tn(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                        size_t ldb, float beta, float *c, size_t ldc) {
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            put(&c[i * ldc + j], dot(a + i, lda, b + j, ldb, k), alpha, beta);
}

void attn_plain_linear_fast(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w,
                            size_t rows) {
    attn_linear_scalar(y, ldy, x, ldx, w, rows);
}

void attn_plain_linear(float *y, size_t ldy, const float *x, size_t ldx, const float *w, const float *bias,
                       size_t rows, size_t out, size_t in) {
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < out; o++)
            y[r * ldy + o] = (float)(dot(x + r * ldx, 1, w + o * in, 1, in) + (bias ? bias[o] : 0.0f));
}

void attn_plain_linear_panels(float *y, size_t ldy, const float *x, size_t ldx, const float *panels,
                              const float *bias, bool adds, size_t rows, size_t out, size_t in) {
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < out; o++) {
            const float *w = panels + o / ATTN_PANEL * ATTN_PANEL * in + o % ATTN_PANEL;
            float before = adds ? y[r * ldy + o] : bias ? bias[o] : 0.0f;
            y[r * ldy + o] = (float)(dot(x + r * ldx, 1, w, ATTN_PANEL, in) + before);
        }
}

void attn_plain_linear_blas(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w,
                            size_t rows) {
    attn_linear_scalar(y, ldy, x, ldx, w, rows);
}

void attn_plain_fold(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t rows,
                     size_t out, size_t in) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < in; i++)
            y[r * ldy + i] = (float)dot(x + r * ldx, 1, w + i, in, out);
}
