/* Rows as columns. */
#ifndef KERNELS_ISA_TRANSPOSE_H
#define KERNELS_ISA_TRANSPOSE_H

#include "impl/kernels/isa/products.h"

/* Columns c .. c + VL - 1 of the VL rows of b from row j on: those that there are, and zeros. */
INLINE void load_square(vec a[VL], const matrix *b, size_t j, size_t c, size_t width) {
    bool whole = j + VL <= b->rows && c + VL <= width;
    UNROLL
    for (size_t i = 0; whole && i < VL; i++) {
        const float *from = (const float *)(const void *)matrix_row(b, j + i) + c;
        if (b->asked_to)
            __builtin_prefetch((const char *)from + b->ahead, 0, 2);
        a[i] = load(from);
    }
    for (size_t i = 0; !whole && i < VL; i++) {
        const float *from = (const float *)(const void *)matrix_row(b, j + i < b->rows ? j + i : b->rows - 1);
        a[i] = c + VL <= width ? load(from + c) : load_part(from + c, width - c);
    }
}

/* out [width, ldo] = the transpose of b's rows of `width` floats; columns from b->rows on, to a whole vector, are
 * those of the last row. */
static void transpose_rows(float *out, size_t ldo, const matrix *b, size_t width) {
    for (size_t j = 0; j < b->rows; j += VL)
        for (size_t c = 0; c < width; c += VL) {
            size_t count = width - c < VL ? width - c : VL;
            vec a[VL];
            load_square(a, b, j, c, width);
            transpose(a);
            if (count == VL) {
                UNROLL
                for (size_t i = 0; i < VL; i++)
                    store(out + (c + i) * ldo + j, a[i]);
            } else {
                for (size_t i = 0; i < count; i++)
                    store(out + (c + i) * ldo + j, a[i]);
            }
        }
}

#endif
