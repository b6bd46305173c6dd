/* Fused softmax attention, which MHA, GQA and MLA share, and products of few rows; compiled once per instruction set
 * (ATTN_ISA), with the vectors of that set: AVX-512's are those of vec_avx512.h. */
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
    /* Of its keys and values as floats. A first cache holds a quarter of that, but contexts are loaded and stored once a
     * block: measured, fewer blocks win. */
    BLOCK_BYTES = 131072,
    MOST_ROWS = ATTN_ATTEND_MOST_ROWS,
    PACK_ROWS = 32,     /* from this many rows on, keys are transposed */
    PACK_COLUMNS = 128, /* of transposed keys, that rows go over together */
    MOST_STEP = 4,      /* a step has 2^4 rows at most: several tiles of registers */
    MOST_TOGETHER = 1 << MOST_STEP
};

/* Scores are kept times log2 e, so that weights are powers of 2, which are cheaper than those of e. */
#define LOG2_E 1.4426950408889634

/* A row of queries on its way over the keys. Of the papers' algorithm, `largest` is m, `sum` is l, `context` is O. */
typedef struct row {
    const float *q, *position;
    const float
        *packed;    /* of the first row of a tile of registers: its queries, as pack_queries leaves them */
    float *context; /* sum of the weights times values; the output */
    float largest;  /* score so far */
    vec sum;        /* of the weights 2^(score - largest), lane by lane */
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
    float scale; /* of positions; queries are packed with it */
} widths;

/* The scores [BLOCK] of a row: adds those of positions, times `scale`, and -inf from n on to a whole vector. */
INLINE void finish_scores(const row *r, float *score, size_t n, size_t first, float scale) {
    const float *position = r->position ? r->position + first : NULL;
    size_t j = 0;
    for (; position && j + VL <= n; j += VL)
        store(score + j, load(score + j) + load(position + j) * scale);
    for (; position && j < n; j++)
        score[j] += position[j] * scale;
    for (j = n; j % VL; j++)
        score[j] = -INFINITY;
}

/* The online softmax for some rows: turns their scores of a block into weights, 0 from n on, and gives the factors by
 * which what was summed before must shrink. Rows are many, as each by itself waits for its largest score. */
INLINE void weigh(row *rows, float *const score[], float factor[], size_t count, size_t n) {
    _Alignas(64) float change[(MOST_TOGETHER + VL - 1) / VL * VL] = {0};
    vec shift[MOST_TOGETHER];
    for (size_t r = 0; r < count; r++) {
        vec largest = broadcast(-INFINITY);
        for (size_t j = 0; j < n; j += VL)
            largest = larger(load(score[r] + j), largest);
        largest = larger(largest_of(largest), broadcast(rows[r].largest));
        shift[r] = zero_below(largest, broadcast(-FLT_MAX), largest); /* -inf - -inf would be NaN */
        change[r] = rows[r].largest - shift[r][0];
        rows[r].largest = largest[0];
    }
    for (size_t r = 0; r < count; r += VL)
        store(change + r, exp2_vec(load(change + r)));
    for (size_t r = 0; r < count; r++) {
        vec sum = {0};
        for (size_t j = 0; j < n; j += VL) {
            vec weight = exp2_vec(load(score[r] + j) - shift[r]);
            store(score[r] + j, weight);
            sum += weight;
        }
        factor[r] = change[r];
        rows[r].sum = rows[r].sum * factor[r] + sum;
    }
}

/* Scores of `count` rows with transposed keys: for some columns at a time, which stay in the first cache while all rows
 * go over them. */
INLINE void score_transposed(float *const score[], left_rows q, const block *b, size_t width, size_t count,
                             size_t rt) {
    float one[MOST_TOGETHER];
    for (size_t r = 0; r < count; r++)
        one[r] = 1.0f;
    for (size_t c = 0; c < width; c += PACK_COLUMNS) {
        matrix k = matrix_of(b->transposed + c * BLOCK, BLOCK * sizeof(float),
                             width - c < PACK_COLUMNS ? width - c : PACK_COLUMNS);
        mix_rows(score, c ? one : NULL, q, &k, padded(b->k.rows), count, rt, ATTN_ELEMENT_F32);
        q.data += PACK_COLUMNS * q.step;
    }
}

/* One block for `count` rows, of which rt share a tile of registers. */
INLINE void attend_block(row *rows, size_t count, size_t rt, const block *b, const widths *w,
                         attn_element type) {
    _Alignas(64) float scores[MOST_TOGETHER][BLOCK];
    float factor[MOST_TOGETHER];
    float *score[MOST_TOGETHER], *context[MOST_TOGETHER];
    left_rows q = {.data = rows->packed, .step = rt, .tile = rt * padded(w->k)};
    for (size_t r = 0; r < count; r++) {
        score[r] = scores[r];
        context[r] = rows[r].context;
    }
    if (type == ATTN_ELEMENT_F32 && b->transposed) {
        q.row = 1;
        score_transposed(score, q, b, w->k, count, rt);
    } else {
        q.row = VL;
        dot_rows(score, q, &b->k, w->k, count, rt, type);
    }
    for (size_t r = 0; r < count; r++)
        finish_scores(&rows[r], scores[r], b->k.rows, b->first, w->scale);
    weigh(rows, score, factor, count, b->k.rows);
    mix_rows(context, factor, (left_rows){scores[0], BLOCK, 1, rt * BLOCK}, &b->v, w->v, count, rt, type);
}

/* Rows of a tile of registers: as many as can share the conversion of an element; of floats eight are slower than twice
 * four. */
enum { FLOATS_TOGETHER = 4 };
static size_t tile_rows_of(attn_element type) {
    return type == ATTN_ELEMENT_F32 ? FLOATS_TOGETHER : ROWS_TOGETHER;
}

typedef void attend_block_function(row *rows, const block *b, const widths *w);
#define BLOCK_FUNCTION(count, rt, type)                                                                      \
    static void block_##count##_##type(row *rows, const block *b, const widths *w) {                         \
        attend_block(rows, count, rt, b, w, ATTN_ELEMENT_##type);                                            \
    }
#define BLOCK_FUNCTIONS(type, rt)                                                                            \
    BLOCK_FUNCTION(1, 1, type)                                                                               \
    BLOCK_FUNCTION(2, 2, type)                                                                               \
    BLOCK_FUNCTION(4, 4, type)                                                                               \
    BLOCK_FUNCTION(8, rt, type)
#define BLOCK_ROW(type) block_1_##type, block_2_##type, block_4_##type, block_8_##type
BLOCK_FUNCTIONS(F32, FLOATS_TOGETHER)
BLOCK_FUNCTION(16, FLOATS_TOGETHER, F32)
BLOCK_FUNCTIONS(F16, ROWS_TOGETHER)
BLOCK_FUNCTIONS(BF16, ROWS_TOGETHER)
BLOCK_FUNCTIONS(Q8_0, ROWS_TOGETHER)
/* For 1, 2, 4, 8 and 16 rows. */
static attend_block_function *const block_functions[ATTN_ELEMENTS][MOST_STEP + 1] = {
    [ATTN_ELEMENT_F32] = {BLOCK_ROW(F32), block_16_F32},
    [ATTN_ELEMENT_F16] = {BLOCK_ROW(F16)},
    [ATTN_ELEMENT_BF16] = {BLOCK_ROW(BF16)},
    [ATTN_ELEMENT_Q8_0] = {BLOCK_ROW(Q8_0)}};

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
static bool packs(const attn_attend_call *call, size_t rows) {
    return rows > ROWS_TOGETHER && (call->type != ATTN_ELEMENT_F32 || rows >= PACK_ROWS);
}

static size_t pack_floats(const attn_attend_call *call) {
    return BLOCK * (2 * call->k_width + call->v_width);
}

static void pack(block *b, const attn_attend_call *call, size_t rows, float *workspace) {
    float *k = workspace, *v = k + BLOCK * call->k_width, *transposed = v + BLOCK * call->v_width;
    bool shared = b->k.data == b->v.data;
    if (call->type != ATTN_ELEMENT_F32) {
        convert(k, &b->k, call->k_width, call->type);
        b->k = matrix_of(k, call->k_width * sizeof *k, b->k.rows);
        if (!shared)
            convert(v, &b->v, call->v_width, call->type);
        b->v = shared ? b->k : matrix_of(v, call->v_width * sizeof *v, b->v.rows);
    }
    if (rows >= PACK_ROWS) {
        transpose_rows(transposed, BLOCK, &b->k, call->k_width);
        b->transposed = transposed;
    }
}

/* Keys of a block, so that it stays near the core while all rows go over it. */
static size_t block_keys(const attn_attend_call *call) {
    size_t width = call->k == call->v ? call->k_width : call->k_width + call->v_width;
    size_t keys = BLOCK_BYTES / sizeof(float) / (width ? width : 1) / VL * VL;
    return keys < 16 ? 16 : keys > BLOCK ? BLOCK : keys;
}

/* Rows of the next step, as a power of 2. */
static size_t step_of(size_t left, attn_element type) {
    size_t step = block_functions[type][MOST_STEP] ? MOST_STEP : MOST_STEP - 1;
    while ((size_t)1 << step > left)
        step--;
    return step;
}

/* Queries that share a tile of registers lie side by side, times `scale`: vector by vector, or value by value where keys
 * are transposed. */
static void pack_tile(row *rows, size_t count, const widths *w, bool transposed, float *packed) {
    const float *q[ROWS_TOGETHER];
    for (size_t r = 0; r < count; r++) {
        rows[r].packed = packed;
        q[r] = rows[r].q;
    }
    for (size_t c = 0; transposed && c < w->k; c++)
        for (size_t r = 0; r < count; r++)
            packed[c * count + r] = q[r][c] * w->scale;
    for (size_t c = 0; !transposed && c < w->k; c += VL)
        for (size_t r = 0; r < count; r++)
            store(packed + c * count + r * VL,
                  (c + VL <= w->k ? load(q[r] + c) : load_part(q[r] + c, w->k - c)) * w->scale);
}

static void pack_queries(row *rows, size_t count, const widths *w, attn_element type, float *packed) {
    for (size_t r = 0, together; r < count; r += together) {
        together = (size_t)1 << step_of(count - r, type);
        if (together > tile_rows_of(type))
            together = tile_rows_of(type);
        pack_tile(rows + r, together, w, count >= PACK_ROWS, packed + r * padded(w->k));
    }
}

/* The block behind this one, of `step` keys, comes while this one is used. Latents, which are keys and values, come half
 * with the keys and half with the values, and all with the values where the keys are transposed first: too many requests
 * at once are waited for. */
static void ask_for_next(block *b, size_t step, bool packed) {
    size_t n = b->k.rows, half = b->k.data != b->v.data ? n : packed ? 0 : n / 2;
    b->k.ahead = step * b->k.stride;
    b->v.ahead = step * b->v.stride;
    b->k.asked_to = half;
    b->v.asked_from = half < n ? half : 0;
    b->v.asked_to = n;
}

/* Rows of a tile go over all keys, block by block. */
static void attend_tile(row *rows, size_t count, const attn_attend_call *call, float *workspace) {
    const widths w = {call->k_width, call->v_width, (float)(call->scale * LOG2_E)};
    size_t step = block_keys(call);
    attn_element type = packs(call, count) ? ATTN_ELEMENT_F32 : call->type;
    pack_queries(rows, count, &w, type, workspace + pack_floats(call));
    for (size_t j = 0; j < call->keys; j += step) {
        size_t n = call->keys - j < step ? call->keys - j : step;
        block b = {.k = matrix_of((const char *)call->k + j * call->k_stride, call->k_stride, n),
                   .v = matrix_of((const char *)call->v + j * call->v_stride, call->v_stride, n),
                   .first = j};
        ask_for_next(&b, step, packs(call, count));
        if (packs(call, count))
            pack(&b, call, count, workspace);
        for (size_t r = 0, some; r < count; r += (size_t)1 << some) {
            some = step_of(count - r, type);
            block_functions[type][some](rows + r, &b, &w);
            b.k.asked_to = b.v.asked_to = 0;
        }
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
    float factor = keys ? 1.0f / sum_of(r->sum) : 0.0f, *context = r->context;
    for (size_t c = 0; c < width; c++)
        context[c] *= factor;
}

static void attend(const attn_attend_call *call, float *workspace) {
    size_t total = call->rows ? call->rows : call->queries * call->heads,
           tile = attn_attend_rows(call->k_width, call->v_width);
    for (size_t first = 0; first < total; first += tile) {
        row rows[MOST_ROWS];
        size_t count = total - first < tile ? total - first : tile, at = call->first_row + first;
        for (size_t r = 0; r < count; r++) {
            rows[r] = row_of(call, at + r);
            memset(rows[r].context, 0, call->v_width * sizeof(float));
        }
        attend_tile(rows, count, call, workspace);
        for (size_t r = 0; r < count; r++)
            finish(&rows[r], call->v_width, call->keys,
                   call->partial ? call->partial + 2 * (first + r) : NULL);
    }
}

#define POWERS(name, vector)                                                                                 \
    static void name(float *x, size_t n) {                                                                   \
        size_t i = 0;                                                                                        \
        for (; i + VL <= n; i += VL)                                                                         \
            store(x + i, vector(load(x + i)));                                                               \
        if (i < n)                                                                                           \
            store_part(x + i, vector(load_part(x + i, n - i)), n - i);                                       \
    }
POWERS(exp_nonpositive, exp_vec)
POWERS(exp2_nonpositive, exp2_vec)

#include "impl/kernels/isa/few_rows.h"
#include "impl/kernels/isa/panels.h"

const attn_attend_kernels ISA_NAME(attn_attend) = {.attend = attend,
                                                   .linear = linear,
                                                   .linear_panels = linear_panels,
                                                   .fold = fold,
                                                   .exp_nonpositive = exp_nonpositive,
                                                   .exp2_nonpositive = exp2_nonpositive};
