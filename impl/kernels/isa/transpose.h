/* Rows as columns. */
#ifndef KERNELS_ISA_TRANSPOSE_H
#define KERNELS_ISA_TRANSPOSE_H

#include "impl/kernels/isa/products.h"

/* out [width, ldo] = the transpose of b's rows of `width` floats; columns from b->rows on, to a whole vector, are
 * those of the last row. */
static void transpose_rows(float *out, size_t ldo, const matrix *b, size_t width) {
    for (size_t j = 0; j < b->rows; j += VL)
        for (size_t c = 0; c < width; c += VL) {
            size_t count = width - c < VL ? width - c : VL;
            vec a[VL];
            UNROLL
            for (size_t i = 0; i < VL; i++) {
                const float *from =
                    (const float *)(const void *)matrix_row(b, j + i < b->rows ? j + i : b->rows - 1);
                a[i] = count < VL ? load_part(from + c, count) : load(from + c);
            }
            transpose(a);
            for (size_t i = 0; i < count; i++)
                store(out + (c + i) * ldo + j, a[i]);
        }
}

#endif
