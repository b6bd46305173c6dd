#include "impl/convert/basis.h"

#include "attn/alloc.h"
#include "impl/convert/matrix.h"

#include <string.h>

/* a = q r; core = r root. */
static int factor(double *q, double *r, double *core, const double *a, size_t rows, size_t columns,
                  const double *root, bool want_q, attn_error *error) {
    memcpy(q, a, rows * columns * sizeof *q);
    if (attn_matrix_qr(q, r, rows, columns, want_q, error))
        return -1;
    if (root)
        attn_matrix_multiply(core, r, false, root, false, columns, columns, columns);
    else
        memcpy(core, r, columns * columns * sizeof *core);
    return 0;
}

int attn_basis_make(attn_basis *basis, const double *a, size_t rows, size_t columns, const double *root,
                    attn_error *error) {
    *basis = (attn_basis){.rows = rows, .columns = columns};
    int result = -1;
    double *q = attn_matrix_new(rows, columns, error), *r = attn_matrix_new(columns, columns, error);
    double *core = attn_matrix_new(columns, columns, error), *p = attn_matrix_new(columns, columns, error);
    basis->left = attn_matrix_new(rows, columns, error);
    basis->along = attn_matrix_new(columns, columns, error);
    basis->sigma = attn_matrix_new(1, columns, error);
    if (!q || !r || !core || !p || !basis->left || !basis->along || !basis->sigma ||
        factor(q, r, core, a, rows, columns, root, true, error) ||
        attn_matrix_svd(core, p, basis->sigma, columns, error))
        goto done;
    attn_matrix_multiply(basis->left, q, false, p, false, rows, columns, columns);
    attn_matrix_multiply(basis->along, p, true, r, false, columns, columns, columns);
    result = 0;
done:
    attn_free(q);
    attn_free(r);
    attn_free(core);
    attn_free(p);
    return result;
}

void attn_basis_free(attn_basis *basis) {
    attn_free(basis->left);
    attn_free(basis->along);
    attn_free(basis->sigma);
    *basis = (attn_basis){0};
}

int attn_basis_sigma(double *sigma, const double *a, size_t rows, size_t columns, const double *root,
                     attn_error *error) {
    int result = -1;
    double *q = attn_matrix_new(rows, columns, error), *r = attn_matrix_new(columns, columns, error);
    double *core = attn_matrix_new(columns, columns, error);
    if (q && r && core && !factor(q, r, core, a, rows, columns, root, false, error))
        result = attn_matrix_svd(core, NULL, sigma, columns, error);
    attn_free(q);
    attn_free(r);
    attn_free(core);
    return result;
}
