#include "impl/kernels/kernels.h"

#include <cblas.h>
#include <string.h>

/* OpenBLAS takes int; sizes are bounded by attn_geometry_complete and the model's memory long before that. */
static blasint narrow(size_t n) {
    return (blasint)n;
}

static void scale_or_clear(size_t m, size_t n, float beta, float *c, size_t ldc) {
    for (size_t i = 0; i < m; i++)
        if (beta == 0.0f)
            memset(c + i * ldc, 0, n * sizeof(float));
        else
            cblas_sscal(narrow(n), beta, c + i * ldc, 1);
}

void attn_gemm_nt(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                  size_t ldb, float beta, float *c, size_t ldc) {
    if (!m || !n)
        return;
    if (m == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, narrow(n), narrow(k), alpha, b, narrow(ldb), a, 1, beta, c,
                    1);
    else if (n == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, narrow(m), narrow(k), alpha, a, narrow(lda), b, 1, beta, c,
                    narrow(ldc));
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, narrow(m), narrow(n), narrow(k), alpha, a,
                    narrow(lda), b, narrow(ldb), beta, c, narrow(ldc));
}

void attn_gemm_nn(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                  size_t ldb, float beta, float *c, size_t ldc) {
    if (!m || !n)
        return;
    if (!k)
        scale_or_clear(m, n, beta, c, ldc);
    else if (m == 1)
        cblas_sgemv(CblasRowMajor, CblasTrans, narrow(k), narrow(n), alpha, b, narrow(ldb), a, 1, beta, c, 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, narrow(m), narrow(n), narrow(k), alpha, a,
                    narrow(lda), b, narrow(ldb), beta, c, narrow(ldc));
}

void attn_gemm_tn(size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                  size_t ldb, float beta, float *c, size_t ldc) {
    if (!m || !n)
        return;
    if (!k)
        scale_or_clear(m, n, beta, c, ldc);
    else
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, narrow(m), narrow(n), narrow(k), alpha, a,
                    narrow(lda), b, narrow(ldb), beta, c, narrow(ldc));
}

void attn_linear_blas(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    for (size_t r = 0; w->bias && r < rows; r++)
        memcpy(y + r * ldy, w->bias, w->out * sizeof(float));
    attn_gemm_nt(rows, w->out, w->in, 1.0f, x, ldx, w->weight, w->in, w->bias ? 1.0f : 0.0f, y, ldy);
}
