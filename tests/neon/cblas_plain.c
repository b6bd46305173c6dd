/* The three functions of BLAS that impl/kernels/blas.c calls, as loops: there is no OpenBLAS for the emulated CPU. Row
 * major only. */
#include <cblas.h>

void cblas_sscal(blasint n, float alpha, float *x, blasint step) {
    for (blasint i = 0; i < n; i++)
        x[i * step] *= alpha;
}

void cblas_sgemm(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE ta, enum CBLAS_TRANSPOSE tb, blasint m,
                 blasint n, blasint k, float alpha, const float *a, blasint lda, const float *b, blasint ldb,
                 float beta, float *c, blasint ldc) {
    (void)order;
    for (blasint i = 0; i < m; i++)
        for (blasint j = 0; j < n; j++) {
            double sum = 0.0;
            for (blasint l = 0; l < k; l++)
                sum += (double)a[ta == CblasTrans ? l * lda + i : i * lda + l] *
                       (double)b[tb == CblasTrans ? j * ldb + l : l * ldb + j];
            c[i * ldc + j] =
                (float)(alpha * sum + (beta == 0.0f ? 0.0 : (double)beta * (double)c[i * ldc + j]));
        }
}

void cblas_sgemv(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE ta, blasint m, blasint n, float alpha,
                 const float *a, blasint lda, const float *x, blasint incx, float beta, float *y,
                 blasint incy) {
    blasint rows = ta == CblasTrans ? n : m, sums = ta == CblasTrans ? m : n;
    (void)order;
    for (blasint i = 0; i < rows; i++) {
        double sum = 0.0;
        for (blasint l = 0; l < sums; l++)
            sum += (double)a[ta == CblasTrans ? l * lda + i : i * lda + l] * (double)x[l * incx];
        y[i * incy] = (float)(alpha * sum + (beta == 0.0f ? 0.0 : (double)beta * (double)y[i * incy]));
    }
}
