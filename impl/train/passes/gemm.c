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

/* OpenBLAS is not instrumented: ThreadSanitizer is shown what a product reads and writes. */
#ifdef __SANITIZE_THREAD__
void __tsan_read_range(const void *address, unsigned long bytes);
void __tsan_write_range(void *address, unsigned long bytes);

static void show_reads(const attn_real *a, size_t rows, size_t width, size_t stride) {
    for (size_t r = 0; r < rows; r++)
        __tsan_read_range(a + r * stride, width * sizeof *a);
}

static void show_writes(attn_real *c, size_t rows, size_t width, size_t stride) {
    for (size_t r = 0; r < rows; r++)
        __tsan_write_range(c + r * stride, width * sizeof *c);
}
#else
#define show_reads(...) ((void)0)
#define show_writes(...) ((void)0)
#endif

void attn_real_gemm_nt(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc) {
    show_reads(a, m, k, lda);
    show_reads(b, n, k, ldb);
    show_writes(c, m, n, ldc);
    NT(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void attn_real_gemm_nn(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc) {
    show_reads(a, m, k, lda);
    show_reads(b, k, n, ldb);
    show_writes(c, m, n, ldc);
    NN(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void attn_real_gemm_tn(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc) {
    show_reads(a, k, m, lda);
    show_reads(b, k, n, ldb);
    show_writes(c, m, n, ldc);
    TN(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
