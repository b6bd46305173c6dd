/* Linear maps of few rows: the weight is read once, as it lies, for every 4 rows. OpenBLAS first repacks all
 * of it, which takes longer than the products themselves up to about 16 rows. */
#ifndef KERNELS_ISA_FEW_ROWS_H
#define KERNELS_ISA_FEW_ROWS_H

#include "impl/kernels/isa/products.h"

enum {
    MAP_ROWS = 4,        /* of a tile */
    WEIGHT_AHEAD = 4096, /* bytes: how far before its use a weight is asked of memory */
    WEIGHT_BLOCK = 32    /* outputs whose weights stay near the core while all rows go over them */
};

/* Rows of the next tile: a power of 2. */
static size_t map_rows(size_t left) {
    return left >= MAP_ROWS ? MAP_ROWS : left > 1 ? 2 : 1;
}

INLINE void linear_block(float *y, size_t ldy, left_rows x, const matrix *w, const float *bias, size_t in,
                         size_t rt) {
    _Alignas(64) float sums[MAP_ROWS][WEIGHT_BLOCK];
    float *sum[MAP_ROWS];
    for (size_t r = 0; r < rt; r++)
        sum[r] = sums[r];
    dot_rows(sum, x, w, in, rt, rt, ATTN_ELEMENT_F32);
    for (size_t r = 0; r < rt; r++)
        for (size_t o = 0; o < w->rows; o++)
            y[r * ldy + o] = bias ? sums[r][o] + bias[o] : sums[r][o];
}

static void linear(float *y, size_t ldy, const float *x, size_t ldx, const float *w, const float *bias,
                   size_t rows, size_t out, size_t in) {
    for (size_t o = 0; o < out; o += WEIGHT_BLOCK) {
        size_t count = out - o < WEIGHT_BLOCK ? out - o : WEIGHT_BLOCK;
        matrix part = {(const char *)(w + o * in), in * sizeof *w, count, WEIGHT_AHEAD, 0, count};
        const float *b = bias ? bias + o : NULL;
        for (size_t r = 0, some; r < rows; r += some, part.asked_to = 0) {
            left_rows from = {.data = x + r * ldx, .row = ldx, .step = 1};
            some = map_rows(rows - r);
            if (some == 1)
                linear_block(y + r * ldy + o, ldy, from, &part, b, in, 1);
            else if (some == 2)
                linear_block(y + r * ldy + o, ldy, from, &part, b, in, 2);
            else
                linear_block(y + r * ldy + o, ldy, from, &part, b, in, MAP_ROWS);
        }
    }
}

static void fold(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t rows, size_t out,
                 size_t in) {
    const matrix weight = matrix_of(w, in * sizeof *w, out);
    for (size_t r = 0, some; r < rows; r += some) {
        float *to[MAP_ROWS];
        left_rows from = {.data = x + r * ldx, .row = ldx, .step = 1};
        some = map_rows(rows - r);
        for (size_t i = 0; i < some; i++)
            to[i] = y + (r + i) * ldy;
        if (some == 1)
            mix_rows(to, NULL, from, &weight, in, 1, 1, ATTN_ELEMENT_F32);
        else if (some == 2)
            mix_rows(to, NULL, from, &weight, in, 2, 2, ATTN_ELEMENT_F32);
        else
            mix_rows(to, NULL, from, &weight, in, MAP_ROWS, MAP_ROWS, ATTN_ELEMENT_F32);
    }
}

#endif
