#include "impl/convert/matrix.h"

#include "attn/alloc.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

double *attn_matrix_new(size_t rows, size_t columns, attn_error *error) {
    size_t count;
    if (attn_multiply(&count, rows, columns)) {
        attn_fail(error, "matrix: %zu x %zu does not fit the address space", rows, columns);
        return NULL;
    }
    return attn_alloc(count, sizeof(double), "matrix", error);
}

void attn_matrix_multiply(double *c, const double *a, bool transpose_a, const double *b, bool transpose_b,
                          size_t m, size_t n, size_t k) {
    cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1.0, a,
                (int)(transpose_a ? m : k), b, (int)(transpose_b ? k : n), 0.0, c, (int)n);
}

static int lapack_failed(const char *routine, lapack_int info, attn_error *error) {
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return attn_fail_as(error, ATTN_ERROR_MEMORY, "LAPACK %s: out of memory", routine);
    return attn_fail(error, "LAPACK %s: failed with %d (values that are not finite, or too large)", routine,
                     (int)info);
}

int attn_matrix_qr(double *a, double *r, size_t m, size_t n, bool want_q, attn_error *error) {
    double *tau = attn_matrix_new(1, n, error);
    if (!tau)
        return -1;
    int result = 0;
    lapack_int info = LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, (int)m, (int)n, a, (int)n, tau);
    if (info)
        result = lapack_failed("dgeqrf", info, error);
    for (size_t i = 0; !result && i < n; i++) {
        memset(r + i * n, 0, i * sizeof(double));
        memcpy(r + i * n + i, a + i * n + i, (n - i) * sizeof(double));
    }
    info = want_q && !result ? LAPACKE_dorgqr(LAPACK_ROW_MAJOR, (int)m, (int)n, (int)n, a, (int)n, tau) : 0;
    if (info)
        result = lapack_failed("dorgqr", info, error);
    attn_free(tau);
    return result;
}

int attn_matrix_svd(double *a, double *u, double *sigma, size_t n, attn_error *error) {
    double *vt = u ? attn_matrix_new(n, n, error) : NULL;
    if (u && !vt)
        return -1;
    lapack_int info = LAPACKE_dgesdd(LAPACK_ROW_MAJOR, u ? 'A' : 'N', (int)n, (int)n, a, (int)n, sigma, u,
                                     (int)n, vt, (int)n);
    attn_free(vt);
    return info ? lapack_failed("dgesdd", info, error) : 0;
}

int attn_matrix_cholesky(double *a, size_t n, attn_error *error) {
    lapack_int info = LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', (int)n, a, (int)n);
    if (info)
        return lapack_failed("dpotrf", info, error);
    for (size_t i = 0; i < n; i++)
        memset(a + i * n + i + 1, 0, (n - i - 1) * sizeof(double));
    return 0;
}

int attn_matrix_inverse_diagonal(double *diagonal, double *l, size_t n, attn_error *error) {
    lapack_int info = LAPACKE_dpotri(LAPACK_ROW_MAJOR, 'L', (int)n, l, (int)n);
    if (info)
        return lapack_failed("dpotri", info, error);
    for (size_t i = 0; i < n; i++)
        diagonal[i] = l[i * n + i];
    return 0;
}

double attn_matrix_norm2(const double *a, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * a[i];
    return sum;
}
