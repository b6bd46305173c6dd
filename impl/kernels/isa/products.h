/* The two products that attention and linear maps are made of, for few rows on the left and a matrix of any
 * element type on the right that is read as it lies, packed nowhere:
 *
 *   dot_rows   out[r][j]  = a[r] . b[j]                 lanes run along a row of b (scores, y = x W^T)
 *   mix_rows   out[r]     = out[r] f[r] + sum_j p[r][j] b[j]   lanes run along a row of b (contexts, y = x W)
 *
 * Each is a tile with all its sums in registers. `rt` (1, 2, 4 or 8 rows, at most ROWS_TOGETHER), `type` and `cv` are
 * constants wherever these are called. */
#ifndef KERNELS_ISA_PRODUCTS_H
#define KERNELS_ISA_PRODUCTS_H

#include "impl/kernels/isa/load.h"

#include <stdbool.h>

enum {
    ROWS_TOGETHER = TOGETHER,
    CACHE_LINE = 64, /* bytes */
    AHEAD = 4096     /* bytes: how far before its use a stream is asked of memory */
};

/* A matrix of `rows` rows, `stride` bytes apart. */
typedef struct matrix {
    const char *data;
    size_t stride, rows;
    bool streams; /* whether this is the first pass over it, and memory is asked for it ahead of use */
} matrix;

INLINE const char *matrix_row(const matrix *b, size_t j) {
    return b->data + j * b->stride;
}

/* Lane by lane; the scale comes in once. */
INLINE vec dot_q8(const float *a, const attn_q8_block *block) {
    vec sum = load(a) * widen_i8(block->value);
    UNROLL
    for (size_t c = VL; c < ATTN_Q8_VALUES; c += VL)
        sum += load(a + c) * widen_i8(block->value + c);
    return sum * half_to_float(block->scale);
}

/* SUMS dot products of rt rows and SUMS / rt keys: sum r SUMS / rt + k is row r with key k. Several rows go
 * over the columns together, so that each element is loaded once; one row goes over key after key, in the
 * order in which they lie in memory: there the CPU's own prefetching is faster than ours. */
TILE void dot_tile(float sums[SUMS], const float *const a[], const char *const key[], size_t width, size_t rt,
                   attn_element type) {
    const size_t keys = SUMS / rt, whole = width / VL * VL, rest = width - whole;
    vec acc[SUMS];
    UNROLL
    for (size_t i = 0; i < SUMS; i++)
        acc[i] = (vec){0};
    if (rt == 1) {
        UNROLL
        for (size_t k = 0; k < keys; k++) {
            size_t c = 0;
            for (; type == ATTN_ELEMENT_Q8_0 && c + ATTN_Q8_VALUES <= width; c += ATTN_Q8_VALUES)
                acc[k] += dot_q8(a[0] + c, q8_block(key[k], c));
            for (; c < whole; c += VL)
                acc[k] += load(a[0] + c) * load_element(key[k], c, type);
        }
    }
    for (size_t c = 0; rt > 1 && c < whole; c += VL) {
        vec x[ROWS_TOGETHER];
        UNROLL
        for (size_t r = 0; r < rt; r++)
            x[r] = load(a[r] + c);
        UNROLL
        for (size_t k = 0; k < keys; k++) {
            vec y = load_element(key[k], c, type);
            UNROLL
            for (size_t r = 0; r < rt; r++)
                acc[r * keys + k] += x[r] * y;
        }
    }
    if (rest)
        UNROLL
    for (size_t k = 0; k < keys; k++) {
        vec y = load_element_part(key[k], whole, rest, type);
        UNROLL
        for (size_t r = 0; r < rt; r++)
            acc[r * keys + k] += load_part(a[r] + whole, rest) * y;
    }
    UNROLL
    for (size_t i = 0; i < SUMS; i += VL)
        store(sums + i, lane_sums(acc + i));
}

/* out[r][j] for every row of b. out rows need room for a whole number of SUMS / rt. */
TILE void dot_rows(float *const out[], const float *const a[], const matrix *b, size_t width, size_t rt,
                   attn_element type) {
    const size_t keys = SUMS / rt;
    for (size_t j = 0; j < b->rows; j += keys) {
        const char *key[SUMS];
        _Alignas(64) float sums[SUMS];
        UNROLL
        for (size_t k = 0; k < keys; k++)
            key[k] = matrix_row(b, j + k < b->rows ? j + k : b->rows - 1);
        for (size_t at = 0; rt > 1 && b->streams && at < keys * b->stride; at += CACHE_LINE)
            __builtin_prefetch(matrix_row(b, j) + AHEAD + at);
        dot_tile(sums, a, key, width, rt, type);
        UNROLL
        for (size_t r = 0; r < rt; r++)
            memcpy(out[r] + j, sums + r * keys, keys * sizeof *sums);
    }
}

/* acc += p times cv vectors from value `first` of a block on, which is a multiple of cv VL: the scale goes into p. */
INLINE void mix_q8(vec acc[], float p, const attn_q8_block *block, size_t first, size_t cv) {
    UNROLL
    for (size_t v = 0; v < cv; v++) {
        const attn_q8_block *b = block + v * VL / ATTN_Q8_VALUES;
        acc[v] += widen_i8(b->value + first + v * VL % ATTN_Q8_VALUES) * (p * half_to_float(b->scale));
    }
}

/* Columns c .. c + cv VL - 1 of mix_rows or, where part is not 0, that many columns (cv is 1 then). */
TILE void mix_tile(float *const out[], const float f[], const float *const p[], const matrix *b, size_t c,
                   size_t part, size_t cv, size_t rt, attn_element type) {
    vec acc[MIXED];
    UNROLL
    for (size_t r = 0; r < rt; r++)
        UNROLL
    for (size_t v = 0; v < cv; v++)
        acc[r * cv + v] = (part ? load_part(out[r] + c, part) : load(out[r] + c + v * VL)) * broadcast(f[r]);
    for (size_t j = 0; j < b->rows; j++) {
        const char *row = matrix_row(b, j);
        vec x[MIXED];
        if (b->streams && rt > 1)
            UNROLL
        for (size_t v = 0; v < cv; v++)
            __builtin_prefetch(element_at(row, c + v * VL, type) + AHEAD);
        if (rt == 1 && !part && type == ATTN_ELEMENT_Q8_0) {
            mix_q8(acc, p[0][j], q8_block(row, c), c % ATTN_Q8_VALUES, cv);
            continue;
        }
        UNROLL
        for (size_t v = 0; v < cv; v++)
            x[v] = part ? load_element_part(row, c, part, type) : load_element(row, c + v * VL, type);
        UNROLL
        for (size_t r = 0; r < rt; r++) {
            vec weight = broadcast(p[r][j]);
            UNROLL
            for (size_t v = 0; v < cv; v++)
                acc[r * cv + v] += weight * x[v];
        }
    }
    UNROLL
    for (size_t r = 0; r < rt; r++)
        UNROLL
    for (size_t v = 0; v < cv; v++) {
        if (part)
            store_part(out[r] + c, acc[r * cv + v], part);
        else
            store(out[r] + c + v * VL, acc[r * cv + v]);
    }
}

TILE void mix_rows(float *const out[], const float f[], const float *const p[], const matrix *b, size_t width,
                   size_t rt, attn_element type) {
    size_t c = 0;
    if (MIXED / rt >= 8)
        for (; c + 8 * VL <= width; c += 8 * VL)
            mix_tile(out, f, p, b, c, 0, 8, rt, type);
    if (MIXED / rt >= 4)
        for (; c + 4 * VL <= width; c += 4 * VL)
            mix_tile(out, f, p, b, c, 0, 4, rt, type);
    for (; c + 2 * VL <= width; c += 2 * VL)
        mix_tile(out, f, p, b, c, 0, 2, rt, type);
    for (; c + VL <= width; c += VL)
        mix_tile(out, f, p, b, c, 0, 1, rt, type);
    if (c < width)
        mix_tile(out, f, p, b, c, width - c, 1, rt, type);
}

#endif
