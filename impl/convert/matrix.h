/* Dense double matrices, row-major, through LAPACK and BLAS. Private to impl/convert. */
#ifndef IMPL_CONVERT_MATRIX_H
#define IMPL_CONVERT_MATRIX_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

/* LAPACK's workspaces are counted in 32 bits. */
enum { ATTN_MATRIX_MAX = 16384 };

double *attn_matrix_new(size_t rows, size_t columns, attn_error *error); /* zeros; attn_free it */

/* c [m, n] = op(a) op(b), with k columns of op(a). */
void attn_matrix_multiply(double *c, const double *a, bool transpose_a, const double *b, bool transpose_b,
                          size_t m, size_t n, size_t k);

/* a [m, n] = q r with m >= n: r [n, n] is upper triangular, and a becomes q where it is wanted, else nothing
 * of use. */
int attn_matrix_qr(double *a, double *r, size_t m, size_t n, bool want_q, attn_error *error);

/* a [n, n] = u diag(sigma) v^T, descending; a is destroyed. u NULL: only the singular values. */
int attn_matrix_svd(double *a, double *u, double *sigma, size_t n, attn_error *error);

/* Symmetric positive definite a [n, n] (its lower half) becomes lower triangular l, a = l l^T. */
int attn_matrix_cholesky(double *a, size_t n, attn_error *error);
/* From l to the diagonal of (l l^T)^{-1}; l is destroyed. */
int attn_matrix_inverse_diagonal(double *diagonal, double *l, size_t n, attn_error *error);

double attn_matrix_norm2(const double *a, size_t count); /* sum of squares */

#endif
