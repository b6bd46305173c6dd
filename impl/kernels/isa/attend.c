/* Fused softmax attention and products of few rows; compiled once per instruction set (ATTN_ISA). */
#include "impl/kernels/attend.h"

#include "impl/kernels/isa/exp_vec.h"
#include "impl/kernels/isa/isa.h"
#include "impl/kernels/isa/products.h"
#include "impl/kernels/isa/transpose.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum {
    BLOCK = ATTN_ATTEND_BLOCK, /* keys of a block, at most */
    /* Of its keys and values as floats. A first cache holds half of that, but contexts are loaded and stored once a
     * block: measured, fewer blocks win. */
    BLOCK_BYTES = 65536,
    FEWEST_ROWS = ATTN_ATTEND_TILE, /* of a tile */
    MOST_ROWS = 256,
    ROW_BYTES = 131072, /* of a tile's queries and contexts: about what stays in a core's second cache */
    PACK_ROWS = 32      /* from this many rows on, keys are transposed */
};

/* A row of queries on its way over the keys. */
typedef struct row {
    const float *q, *position;
    float *context; /* sum of the weights times values; the output */
    float largest;  /* score so far */
    vec sum;        /* of the weights exp(score - largest), lane by lane */
} row;

/* A block of keys and values. `transposed`, where it is set, holds the keys as [k_width, BLOCK] floats. */
typedef struct block {
    matrix k, v;
    size_t first; /* number of its first key */
    const float *transposed;
} block;

/* What is the same for all rows. */
typedef struct widths {
    size_t k, v;
    float scale;
} widths;

/* Finishes the scores [BLOCK] of a row, scale (score + position), with -inf from n on to a whole vector. */
INLINE void finish_scores(const row *r, float *score, size_t n, size_t first, float scale) {
    const float *position = r->position ? r->position + first : NULL;
    size_t j = 0;
    for (; j + VL <= n; j += VL)
        store(score + j, (position ? load(score + j) + load(position + j) : load(score + j)) * scale);
    for (; j < n; j++)
        score[j] = (position ? score[j] + position[j] : score[j]) * scale;
    for (; j % VL; j++)
        score[j] = -INFINITY;
}

/* The online softmax for rt rows: turns their scores of a block into weights, 0 from n on, and gives the
 * factors by which what was summed before must shrink. */
INLINE void weigh(row *rows, float *const score[], float factor[], size_t rt, size_t n) {
    vec shift[ROWS_TOGETHER], sum[ROWS_TOGETHER];
    UNROLL
    for (size_t r = 0; r < rt; r++)
        shift[r] = broadcast(rows[r].largest);
    for (size_t j = 0; j < n; j += VL)
        UNROLL
    for (size_t r = 0; r < rt; r++)
        shift[r] = larger(load(score[r] + j), shift[r]);
    UNROLL
    for (size_t r = 0; r < rt; r++) {
        vec largest = largest_of(shift[r]);
        shift[r] = zero_below(largest, broadcast(-FLT_MAX), largest); /* -inf - -inf would be NaN */
        sum[r] = (vec){0};
        factor[r] = exp_vec(broadcast(rows[r].largest) - shift[r])[0];
        rows[r].largest = largest[0];
    }
    for (size_t j = 0; j < n; j += VL)
        UNROLL
    for (size_t r = 0; r < rt; r++) {
        vec weight = exp_vec(load(score[r] + j) - shift[r]);
        store(score[r] + j, weight);
        sum[r] += weight;
    }
    UNROLL
    for (size_t r = 0; r < rt; r++)
        rows[r].sum = rows[r].sum * factor[r] + sum[r];
}

/* One block for rt rows. */
INLINE void attend_block(row *rows, size_t rt, const block *b, const widths *w, attn_element type) {
    _Alignas(64) float scores[ROWS_TOGETHER][BLOCK];
    float factor[ROWS_TOGETHER], zero[ROWS_TOGETHER] = {0};
    float *score[ROWS_TOGETHER], *context[ROWS_TOGETHER];
    const float *q[ROWS_TOGETHER], *weight[ROWS_TOGETHER];
    for (size_t r = 0; r < rt; r++) {
        weight[r] = score[r] = scores[r];
        q[r] = rows[r].q;
        context[r] = rows[r].context;
    }
    if (b->transposed) {
        memset(scores, 0, sizeof scores);
        matrix k = {(const char *)b->transposed, BLOCK * sizeof(float), w->k, false};
        mix_rows(score, zero, q, &k, (b->k.rows + VL - 1) / VL * VL, rt, ATTN_ELEMENT_F32);
    } else {
        dot_rows(score, q, &b->k, w->k, rt, type);
    }
    for (size_t r = 0; r < rt; r++)
        finish_scores(&rows[r], scores[r], b->k.rows, b->first, w->scale);
    weigh(rows, score, factor, rt, b->k.rows);
    mix_rows(context, factor, weight, &b->v, w->v, rt, type);
}

typedef void attend_block_function(row *rows, const block *b, const widths *w);
#define BLOCK_FUNCTION(rt, type)                                                                             \
    static void block_##rt##_##type(row *rows, const block *b, const widths *w) {                            \
        attend_block(rows, rt, b, w, ATTN_ELEMENT_##type);                                                   \
    }
#define BLOCK_FUNCTIONS(type) BLOCK_FUNCTION(1, type) BLOCK_FUNCTION(2, type) BLOCK_FUNCTION(4, type)
#define BLOCK_ROW(type) block_1_##type, block_2_##type, block_4_##type
BLOCK_FUNCTIONS(F32)
BLOCK_FUNCTIONS(F16)
BLOCK_FUNCTIONS(BF16)
BLOCK_FUNCTIONS(Q8_0)
/* Eight rows share the conversion of an element; of floats they are slower than twice four. */
#if TOGETHER == 8
BLOCK_FUNCTION(8, F16)
BLOCK_FUNCTION(8, BF16)
BLOCK_FUNCTION(8, Q8_0)
#define CONVERTED_ROW(type) BLOCK_ROW(type), block_8_##type
#else
#define CONVERTED_ROW(type) BLOCK_ROW(type)
#endif
static attend_block_function *const block_functions[ATTN_ELEMENTS][4] = {
    [ATTN_ELEMENT_F32] = {BLOCK_ROW(F32)},
    [ATTN_ELEMENT_F16] = {CONVERTED_ROW(F16)},
    [ATTN_ELEMENT_BF16] = {CONVERTED_ROW(BF16)},
    [ATTN_ELEMENT_Q8_0] = {CONVERTED_ROW(Q8_0)}};

/* [n, width] floats of a matrix of any type. */
static void convert(float *out, const matrix *b, size_t width, attn_element type) {
    for (size_t j = 0; j < b->rows; j++) {
        const char *from = matrix_row(b, j);
        size_t c = 0;
        for (; c + VL <= width; c += VL)
            store(out + j * width + c, load_element(from, c, type));
        if (c < width)
            store_part(out + j * width + c, load_element_part(from, c, width - c, type), width - c);
    }
}

/* Where many rows share a block it is converted to floats once, and its keys are transposed once. */
static attn_element pack(block *b, const attn_attend_call *call, size_t rows, float *workspace) {
    if (rows <= ROWS_TOGETHER || (call->type == ATTN_ELEMENT_F32 && rows < PACK_ROWS))
        return call->type;
    float *k = workspace, *v = k + BLOCK * call->k_width, *transposed = v + BLOCK * call->v_width;
    bool shared = b->k.data == b->v.data;
    if (call->type != ATTN_ELEMENT_F32) {
        convert(k, &b->k, call->k_width, call->type);
        b->k = (matrix){(const char *)k, call->k_width * sizeof *k, b->k.rows, false};
        if (!shared)
            convert(v, &b->v, call->v_width, call->type);
        b->v = shared ? b->k : (matrix){(const char *)v, call->v_width * sizeof *v, b->v.rows, false};
    }
    if (rows >= PACK_ROWS) {
        transpose_rows(transposed, BLOCK, &b->k, call->k_width);
        b->transposed = transposed;
    }
    return ATTN_ELEMENT_F32;
}

/* Keys of a block, so that it stays near the core while all rows go over it. */
static size_t block_keys(const attn_attend_call *call) {
    size_t width = call->k == call->v ? call->k_width : call->k_width + call->v_width;
    size_t keys = BLOCK_BYTES / sizeof(float) / (width ? width : 1) / VL * VL;
    return keys < 16 ? 16 : keys > BLOCK ? BLOCK : keys;
}

/* Rows of a tile go over all keys, block by block. There is room for three more rows, which repeat the last
 * one: computing a row twice changes nothing. */
static void attend_tile(row *rows, size_t count, const attn_attend_call *call, float *workspace) {
    const widths w = {call->k_width, call->v_width, call->scale};
    size_t step = block_keys(call);
    for (size_t j = 0; j < call->keys; j += step) {
        size_t n = call->keys - j < step ? call->keys - j : step;
        block b = {.k = {(const char *)call->k + j * call->k_stride, call->k_stride, n, true},
                   .v = {(const char *)call->v + j * call->v_stride, call->v_stride, n, call->v != call->k},
                   .first = j};
        attend_block_function *const *functions = block_functions[pack(&b, call, count, workspace)];
        size_t r = 0;
        for (size_t some; r + 2 < count; r += some) {
            some = functions[3] && count - r >= 8 ? 8 : 4;
            functions[some == 8 ? 3 : 2](rows + r, &b, &w);
            b.k.streams = b.v.streams = false;
        }
        if (r < count)
            functions[count - r - 1](rows + r, &b, &w);
    }
}

static row row_of(const attn_attend_call *call, size_t number) {
    size_t i = number % call->queries, head = number / call->queries;
    const float *position = call->position;
    if (position)
        position += head * call->position_strides.head + i * call->position_strides.query;
    return (row){.q = call->q + head * call->q_strides.head + i * call->q_strides.query,
                 .position = position,
                 .context = call->out + head * call->out_strides.head + i * call->out_strides.query,
                 .largest = -INFINITY};
}

/* context = sum of weights times values / sum of weights. */
static void finish(const row *r, size_t width, size_t keys, float *partial) {
    if (partial) {
        partial[0] = r->largest;
        partial[1] = sum_of(r->sum);
        return;
    }
    float factor = keys ? 1.0f / sum_of(r->sum) : 0.0f;
    for (size_t c = 0; c < width; c++)
        r->context[c] *= factor;
}

/* Rows of a tile, which go over the keys together. Every tile reads and transposes all keys once, so few large ones do
 * that less often. */
static size_t tile_rows(const attn_attend_call *call) {
    size_t width = call->k_width + call->v_width, rows = ROW_BYTES / sizeof(float) / (width ? width : 1);
    rows = rows / ROWS_TOGETHER * ROWS_TOGETHER;
    return rows < FEWEST_ROWS ? FEWEST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
}

static void attend(const attn_attend_call *call, float *workspace) {
    size_t total = call->rows ? call->rows : call->queries * call->heads, tile = tile_rows(call);
    for (size_t first = 0; first < total; first += tile) {
        row rows[MOST_ROWS + 1];
        size_t count = total - first < tile ? total - first : tile, at = call->first_row + first;
        for (size_t r = 0; r < count; r++) {
            rows[r] = row_of(call, at + r);
            memset(rows[r].context, 0, call->v_width * sizeof(float));
        }
        rows[count] = row_of(call, at + count - 1);
        attend_tile(rows, count, call, workspace);
        for (size_t r = 0; r < count; r++)
            finish(&rows[r], call->v_width, call->keys,
                   call->partial ? call->partial + 2 * (first + r) : NULL);
    }
}

static void exp_nonpositive(float *x, size_t n) {
    size_t i = 0;
    for (; i + VL <= n; i += VL)
        store(x + i, exp_vec(load(x + i)));
    if (i < n)
        store_part(x + i, exp_vec(load_part(x + i, n - i)), n - i);
}

#include "impl/kernels/isa/few_rows.h"
#include "impl/kernels/isa/panels.h"

const attn_attend_kernels ISA_NAME(attn_attend) = {.attend = attend,
                                                   .linear = linear,
                                                   .linear_panels = linear_panels,
                                                   .fold = fold,
                                                   .exp_nonpositive = exp_nonpositive};
