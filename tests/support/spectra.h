/* Matrices of known spectrum, and spectra of given matrices, by means that share nothing with LAPACK. */
#ifndef TESTS_SUPPORT_SPECTRA_H
#define TESTS_SUPPORT_SPECTRA_H

#include <stddef.h>
#include <stdint.h>

/* q [rows, columns] gets orthonormal columns: random ones, by Gram and Schmidt (twice). */
void spectra_orthonormal(double *q, size_t rows, size_t columns, uint64_t *random);

/* w [rows, columns] = U diag(sigma) V^T with random U and V. */
void spectra_matrix(float *w, size_t rows, size_t columns, const double *sigma, uint64_t *random);

/* Eigenvalues of the symmetric a [n, n], descending, by Jacobi's rotations; a is destroyed. */
void spectra_eigenvalues(double *values, double *a, size_t n);

/* sqrt of the sum of squares from `rank` on: what Eckart and Young leave of singular values. */
double spectra_tail(const double *sigma, size_t count, size_t rank);

double spectra_normal(uint64_t *random); /* mean 0, variance 1 */

#endif
