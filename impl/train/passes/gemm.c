#include "impl/train/passes/real.h"

#ifdef ATTN_TRAIN_F64
#include <cblas.h>

static void multiply(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t k, double alpha,
                     const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
                     size_t ldc) {
    if (m && n)
        cblas_dgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, alpha, a, (blasint)lda, b,
                    (blasint)ldb, beta, c, (blasint)ldc);
}
#define NT(...) multiply(CblasNoTrans, CblasTrans, __VA_ARGS__)
#define NN(...) multiply(CblasNoTrans, CblasNoTrans, __VA_ARGS__)
#define TN(...) multiply(CblasTrans, CblasNoTrans, __VA_ARGS__)
#else
#include "impl/kernels/kernels.h"
#define NT attn_gemm_nt
#define NN attn_gemm_nn
#define TN attn_gemm_tn
#endif

void attn_real_gemm_nt(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc) {
    NT(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void attn_real_gemm_nn(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc) {
    NN(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void attn_real_gemm_tn(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc) {
    TN(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
