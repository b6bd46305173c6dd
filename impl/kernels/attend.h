/* Fused softmax attention: contexts from projected queries and the cached keys and values that they share, in
 * one pass over the keys. Private to impl/. Pure: no allocation, no failure.
 *
 *   out = softmax(scale (Q K^T + P)) V
 *
 * Online softmax (Milakov and Gimelshein 2018; Dao et al. 2022, algorithm 1): keys go in blocks; each row
 * keeps the largest score so far, the sum of its weights, and its context, still without the factor 1 / sum.
 * A block that raises the largest score scales the sum and the context down by exp(old - new).
 *
 * One call is one key/value head with all rows that attend to it: the queries of the heads of its group. So
 * keys and values are read once for all of them. With k and v the same rows it is absorbed MLA: one read of
 * the latents serves scores and contexts of all heads. */
#ifndef ATTN_ATTEND_H
#define ATTN_ATTEND_H

#include "attn/element.h"

#include <stdbool.h>
#include <stddef.h>

/* Rows (head, query): floats from the first row to that of the next query, or of the next head. */
typedef struct attn_row_strides {
    size_t query, head;
} attn_row_strides;

typedef struct attn_attend_call {
    float *out; /* rows of v_width floats; must not overlap anything read */
    attn_row_strides out_strides;
    const float *q; /* rows of k_width floats */
    attn_row_strides q_strides;
    const float *position; /* P: rows of `keys` floats, added to Q K^T; NULL for none */
    attn_row_strides position_strides;
    size_t queries, heads;
    const void *k, *v;         /* rows of k_width and v_width elements */
    size_t k_stride, v_stride; /* bytes from row to row */
    size_t keys;               /* those that count; none gives zero contexts */
    size_t k_width, v_width;
    attn_element type;
    float scale;
    /* Rows are numbered head queries + query. rows 0: all of them, from the first on. */
    size_t first_row, rows;
    /* NULL, or for each row, at 2 (its number - first_row): the largest score, times log2 e, and the sum of the weights; then
     * contexts are left without the factor 1 / sum, so that those of other keys can be added. */
    float *partial;
} attn_attend_call;

typedef struct attn_attend_kernels {
    /* Workspace: attn_attend_floats, aligned as floats. */
    void (*attend)(const attn_attend_call *call, float *workspace);
    /* y [rows, out] = x [rows, in] W^T + b, for few rows: W is read as it lies. */
    void (*linear)(float *y, size_t ldy, const float *x, size_t ldx, const float *w, const float *bias,
                   size_t rows, size_t out, size_t in);
    /* The same by a weight in panels (panels.h), for any number of rows; y += x W^T where `adds`, without bias. */
    void (*linear_panels)(float *y, size_t ldy, const float *x, size_t ldx, const float *panels,
                          const float *bias, bool adds, size_t rows, size_t out, size_t in);
    /* y [rows, in] = x [rows, out] W, for few rows. */
    void (*fold)(float *y, size_t ldy, const float *x, size_t ldx, const float *w, size_t rows, size_t out,
                 size_t in);
    /* x[i] = exp(x[i]), or 2^x[i], for x[i] <= 0, to 2 ulp; 0 below the least normal float. */
    void (*exp_nonpositive)(float *x, size_t n);
    void (*exp2_nonpositive)(float *x, size_t n);
} attn_attend_kernels;
const attn_attend_kernels *attn_attend(void); /* for attn_cpu_isa() */

enum {
    ATTN_ATTEND_BLOCK = 128,     /* the most keys of a block */
    ATTN_ATTEND_MOST_ROWS = 256, /* of a tile */
    ATTN_ATTEND_TILE = 64 /* the fewest rows of a tile but the last; threads share rows in multiples of it */
};

/* Rows of a tile, which go over the keys together. Every tile reads and transposes all keys once, so few large ones do
 * that less often. */
size_t attn_attend_rows(size_t k_width, size_t v_width);

/* Floats of workspace for rows of at most these widths. */
size_t attn_attend_floats(size_t k_width, size_t v_width);

/* Workspace of the plain reference, attn_plain_attend. */
size_t attn_attend_plain_floats(size_t keys, size_t k_width, size_t v_width);

#endif
