/* Linear maps of few rows: the weight is read once, as it lies, for every 4 rows. OpenBLAS first repacks all
 * of it, which takes longer than the products themselves up to about 16 rows. */
#ifndef KERNELS_ISA_FEW_ROWS_H
#define KERNELS_ISA_FEW_ROWS_H

#include "impl/kernels/isa/products.h"

enum {
    MAP_ROWS = 4,     /* of a tile */
    WEIGHT_BLOCK = 32 /* outputs whose weights stay near the core while all rows go over them */
};

INLINE void linear_block(float *const y[], const float *const x[], const matrix *w, const float *bias,
                         size_t in, size_t rt) {
    _Alignas(64) float sums[MAP_ROWS][WEIGHT_BLOCK];
    float *sum[MAP_ROWS];
    for (size_t r = 0; r < rt; r++)
        sum[r] = sums[r];
    dot_rows(sum, x, w, in, rt, ATTN_ELEMENT_F32);
    for (size_t r = 0; r < rt; r++)
        for (size_t o = 0; o < w->rows; o++)
            y[r][o] = bias ? sums[r][o] + bias[o] : sums[r][o];
}

/* Rows of an operand, the last one repeated where a tile is larger than what is left. */
#define ROW_POINTERS(pointer, base, stride, first, count)                                                    \
    for (size_t i = 0; i < MAP_ROWS; i++)                                                                    \
        (pointer)[i] = (base) + ((first) + (i < (count) ? i : (count)-1)) * (stride);

static void linear(float *y, size_t ldy, const float *x, size_t ldx, const float *w, const float *bias,
                   size_t rows, size_t out, size_t in) {
    for (size_t o = 0; o < out; o += WEIGHT_BLOCK) {
        size_t count = out - o < WEIGHT_BLOCK ? out - o : WEIGHT_BLOCK;
        matrix part = {(const char *)(w + o * in), in * sizeof *w, count, false};
        const float *b = bias ? bias + o : NULL;
        for (size_t r = 0; r < rows; r += MAP_ROWS) {
            size_t some = rows - r < MAP_ROWS ? rows - r : MAP_ROWS;
            float *to[MAP_ROWS];
            const float *from[MAP_ROWS];
            part.streams = r == 0;
            ROW_POINTERS(to, y + o, ldy, r, some)
            ROW_POINTERS(from, x, ldx, r, some)
            if (some == 1)
                linear_block(to, from, &part, b, in, 1);
            else if (some == 2)
                linear_block(to, from, &part, b, in, 2);
            else
                linear_block(to, from, &part, b, in, 4);
        }
    }
}

static void fold(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t rows, size_t out,
                 size_t in) {
    const float none[MAP_ROWS] = {0};
    const matrix weight = {(const char *)w, in * sizeof *w, out, false};
    for (size_t r = 0; r < rows; r += MAP_ROWS) {
        size_t some = rows - r < MAP_ROWS ? rows - r : MAP_ROWS;
        float *to[MAP_ROWS];
        const float *from[MAP_ROWS];
        ROW_POINTERS(to, y, ldy, r, some)
        ROW_POINTERS(from, x, ldx, r, some)
        for (size_t i = 0; i < some; i++)
            memset(to[i], 0, in * sizeof *y);
        if (some == 1)
            mix_rows(to, none, from, &weight, in, 1, ATTN_ELEMENT_F32);
        else if (some == 2)
            mix_rows(to, none, from, &weight, in, 2, ATTN_ELEMENT_F32);
        else
            mix_rows(to, none, from, &weight, in, 4, ATTN_ELEMENT_F32);
    }
}

#endif
