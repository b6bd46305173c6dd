/* The best subspace for the outputs of a linear map. Private to impl/convert. */
#ifndef IMPL_CONVERT_BASIS_H
#define IMPL_CONVERT_BASIS_H

#include "attn/error.h"

#include <stddef.h>

/* For a [rows, columns], rows >= columns: left [rows, columns] has orthonormal columns u_i that span the
 * range of a, ordered so that the first R lose least of a root (Eckart-Young): the sum of sigma_i^2, i > R.
 * along [columns, columns] has the rows u_i^T a. a = left along, for every root. */
typedef struct attn_basis {
    size_t rows, columns;
    double *left, *along, *sigma;
} attn_basis;

/* root [columns, columns], NULL for the identity. */
int attn_basis_make(attn_basis *basis, const double *a, size_t rows, size_t columns, const double *root,
                    attn_error *error);
void attn_basis_free(attn_basis *basis);

/* Only the sigma_i, descending: the singular values of a root. */
int attn_basis_sigma(double *sigma, const double *a, size_t rows, size_t columns, const double *root,
                     attn_error *error);

#endif
