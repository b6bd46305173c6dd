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
};

/* A matrix of `rows` rows, `stride` bytes apart. */
typedef struct matrix {
    const char *data;
    size_t stride, rows;
    /* In a first pass over a stream, with each of its rows from the first to before the second of these, memory is asked
     * for what lies `ahead` bytes behind. */
    size_t ahead, asked_from, asked_to;
} matrix;

/* Rows on the left: `row` floats from row to row of a tile, `step` from column to column, `tile` from a tile to the
 * next. Where rows lie at constant distances (pack_queries), all rows of a tile need one address. dot_rows takes vectors
 * of columns: that of column c is at c step. */
typedef struct left_rows {
    const float *data;
    size_t row, step, tile;
} left_rows;

INLINE matrix matrix_of(const void *data, size_t stride, size_t rows) {
    return (matrix){.data = data, .stride = stride, .rows = rows};
}

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
TILE void dot_tile(float sums[SUMS], left_rows a, const char *const key[], size_t width, size_t ahead,
                   size_t rt, attn_element type) {
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
                acc[k] += dot_q8(a.data + c, q8_block(key[k], c));
            for (; c < whole; c += VL)
                acc[k] += load(a.data + c) * load_element(key[k], c, type);
        }
    }
    for (size_t c = 0; rt > 1 && c < whole; c += VL) {
        vec x[ROWS_TOGETHER];
        UNROLL
        for (size_t r = 0; r < rt; r++)
            x[r] = load(a.data + r * a.row + c * a.step);
        UNROLL
        for (size_t k = 0; k < keys; k++) {
            vec y = load_element(key[k], c, type);
            if (ahead)
                __builtin_prefetch(element_at(key[k], c, type) + ahead, 0, 2);
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
            acc[r * keys + k] += load_part(a.data + r * a.row + whole * a.step, rest) * y;
    }
    UNROLL
    for (size_t i = 0; i < SUMS; i += VL)
        store(sums + i, lane_sums(acc + i));
}

/* out[r][j] of `count` rows, rt in a tile, for every row of b. out rows need room for a whole number of SUMS / rt. */
TILE void dot_rows(float *const out[], left_rows a, const matrix *b, size_t width, size_t count, size_t rt,
                   attn_element type) {
    const size_t keys = SUMS / rt;
    for (size_t j = 0; j < b->rows; j += keys) {
        const char *key[SUMS];
        _Alignas(64) float sums[SUMS];
        left_rows tile = a;
        UNROLL
        for (size_t k = 0; k < keys; k++)
            key[k] = matrix_row(b, j + k < b->rows ? j + k : b->rows - 1);
        for (size_t first = 0; first < count; first += rt, tile.data += a.tile) {
            dot_tile(sums, tile, key, width,
                     first == 0 && j >= b->asked_from && j < b->asked_to ? b->ahead : 0, rt, type);
            UNROLL
            for (size_t r = 0; r < rt; r++)
                memcpy(out[first + r] + j, sums + r * keys, keys * sizeof *sums);
        }
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
TILE void mix_tile(float *const out[], const float f[], left_rows p, const matrix *b, size_t c, size_t part,
                   size_t cv, size_t rt, attn_element type) {
    vec acc[MIXED];
    UNROLL
    for (size_t r = 0; r < rt; r++)
        UNROLL
    for (size_t v = 0; v < cv; v++)
        acc[r * cv + v] =
            f ? (part ? load_part(out[r] + c, part) : load(out[r] + c + v * VL)) * broadcast(f[r]) : (vec){0};
    for (size_t j = 0; j < b->rows; j++) {
        const char *row = matrix_row(b, j);
        vec x[MIXED];
        if (rt > 1 && j >= b->asked_from && j < b->asked_to)
            UNROLL
        for (size_t v = 0; v < cv; v++)
            __builtin_prefetch(element_at(row, c + v * VL, type) + b->ahead, 0, 2);
        if (rt == 1 && !part && type == ATTN_ELEMENT_Q8_0) {
            mix_q8(acc, p.data[j * p.step], q8_block(row, c), c % ATTN_Q8_VALUES, cv);
            continue;
        }
        UNROLL
        for (size_t v = 0; v < cv; v++)
            x[v] = part ? load_element_part(row, c, part, type) : load_element(row, c + v * VL, type);
        UNROLL
        for (size_t r = 0; r < rt; r++) {
            vec weight = broadcast(p.data[r * p.row + j * p.step]);
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

/* The same columns of `count` rows, rt in a tile. */
TILE void mix_columns(float *const out[], const float f[], left_rows p, matrix b, size_t c, size_t part,
                      size_t cv, size_t count, size_t rt, attn_element type) {
    for (size_t r = 0; r < count; r += rt, p.data += p.tile, b.asked_to = 0)
        mix_tile(out + r, f ? f + r : NULL, p, &b, c, part, cv, rt, type);
}

/* f NULL: what out holds before does not count. */
TILE void mix_rows(float *const out[], const float f[], left_rows p, const matrix *b, size_t width,
                   size_t count, size_t rt, attn_element type) {
    size_t c = 0;
    if (MIXED / rt >= 8)
        for (; c + 8 * VL <= width; c += 8 * VL)
            mix_columns(out, f, p, *b, c, 0, 8, count, rt, type);
    if (MIXED / rt >= 4)
        for (; c + 4 * VL <= width; c += 4 * VL)
            mix_columns(out, f, p, *b, c, 0, 4, count, rt, type);
    for (; c + 2 * VL <= width; c += 2 * VL)
        mix_columns(out, f, p, *b, c, 0, 2, count, rt, type);
    for (; c + VL <= width; c += VL)
        mix_columns(out, f, p, *b, c, 0, 1, count, rt, type);
    if (c < width)
        mix_columns(out, f, p, *b, c, width - c, 1, count, rt, type);
}

#endif
