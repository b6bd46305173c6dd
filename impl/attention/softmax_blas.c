#include "impl/attention/softmax_blas.h"

#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <math.h>
#include <string.h>

enum {
    ROWS = 256,                /* rows of x projected together */
    TILE_SCORES = 1 << 17,     /* scores of a tile: 512 KiB */
    SMALLEST_TILE = 64,        /* below this, matrix products lose their speed */
    GROUP_FLOATS = 5 * 1 << 20 /* computed keys, values and positions: 20 MiB */
};

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

size_t attn_blas_head_group(const attn_geometry *g, size_t floats) {
    return smaller(g->num_heads, larger(1, GROUP_FLOATS / larger(1, floats)));
}

size_t attn_blas_tile(size_t frames, size_t keys) {
    size_t rows = larger(SMALLEST_TILE, TILE_SCORES / larger(1, keys));
    return smaller(frames, smaller(ROWS, rows));
}

size_t attn_blas_group_bound(const attn_geometry *g, size_t floats) {
    return smaller(g->num_heads * floats, larger(GROUP_FLOATS, floats));
}

size_t attn_blas_tile_bound(size_t frames) {
    return smaller(frames, ROWS);
}

size_t attn_blas_scores_bound(size_t frames, size_t keys, size_t unit) {
    size_t rows = larger(attn_blas_tile_bound(frames), unit);
    return larger(smaller(rows * keys, TILE_SCORES), smaller(rows, larger(SMALLEST_TILE, unit)) * keys);
}

attn_blas_view attn_blas_view_of(float *out, const attn_layer *layer, const attn_cache *cache,
                                 const attn_call *call, size_t b, size_t held) {
    size_t offset = b * call->frames * layer->geometry.d_model;
    return (attn_blas_view){.layer = layer,
                            .x = call->x + offset,
                            .out = out + offset,
                            .frames = call->frames,
                            .held = held,
                            .valid = attn_valid_keys(cache, call, b, held + call->frames)};
}

size_t attn_blas_append_floats(size_t frames, size_t width) {
    return smaller(frames, ROWS) * width;
}

static void scatter_heads(const attn_cache *cache, size_t slot, size_t b, size_t at, const float *rows,
                          size_t count) {
    size_t heads = larger(1, cache->slot[slot].heads), width = cache->slot[slot].width;
    for (size_t head = 0; head < heads; head++) {
        float *to = attn_cache_rows(cache, slot, b, head) + at * width;
        for (size_t r = 0; r < count; r++)
            memcpy(to + r * width, rows + (r * heads + head) * width, width * sizeof(float));
    }
}

void attn_blas_append(attn_cache *cache, size_t slot, const attn_linear *w, const attn_call *call,
                      float *workspace) {
    size_t d_model = cache->geometry.d_model;
    for (size_t b = 0; b < call->batch; b++)
        for (size_t t = 0; t < call->frames; t += ROWS) {
            size_t rows = smaller(ROWS, call->frames - t);
            attn_linear_blas(workspace, w->out, call->x + (b * call->frames + t) * d_model, d_model, w, rows);
            scatter_heads(cache, slot, b, cache->length + t, workspace, rows);
        }
}

const float *attn_blas_positions(float *table, const attn_layer *layer, const float *rows, size_t count,
                                 size_t head0, size_t heads) {
    if (!attn_has_rel_pos(&layer->geometry))
        return NULL;
    size_t d_k = attn_head_dim(&layer->geometry);
    attn_linear part = attn_linear_rows(&layer->linear_pos, head0 * d_k, heads * d_k);
    attn_linear_blas(table, part.out, rows, part.in, &part, count);
    return table;
}

void attn_blas_softmax(float *scores, float *sums, size_t rows, size_t keys, float scale) {
    const attn_row_kernels *kernels = attn_rows();
    for (size_t r = 0; r < rows; r++)
        sums[r] = kernels->softmax_numerators(scores + r * keys, keys, scale);
}

void attn_blas_add_bias(float *y, const float *q, size_t ldq, const float *bias, size_t rows, size_t d_k) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < d_k; c++)
            y[r * d_k + c] = q[r * ldq + c] + bias[c];
}

void attn_blas_position_scores(float *scores, const attn_blas_view *view, const float *qv,
                               const float *position, size_t ldp, size_t i0, size_t m, float *terms) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), n = view->valid;
    if (g->pos_enc == ATTN_POS_REL_WENET) {
        attn_gemm_nt(m, n, d_k, 1.0f, qv, d_k, position, ldp, 0.0f, scores, n);
        return;
    }
    /* The relative shift: row r of terms holds the distances of all the tile's queries; its own start at
     * column r. */
    size_t first = attn_position_index(g, view->held, view->frames, i0, n - 1), columns = n + m - 1;
    attn_gemm_nt(m, columns, d_k, 1.0f, qv, d_k, position + first * ldp, ldp, 0.0f, terms, columns);
    for (size_t r = 0; r < m; r++) {
        const float *last = terms + r * columns + r + n - 1;
        for (size_t j = 0; j < n; j++)
            scores[r * n + j] = last[-(ptrdiff_t)j];
    }
}

typedef struct attend_buffers {
    float *q, *biased, *scores, *terms, *sums;
} attend_buffers;

static size_t score_rows(const attn_geometry *g, size_t tile) {
    return larger(tile, g->num_kv_heads ? g->num_heads / g->num_kv_heads : 1);
}

size_t attn_blas_attend_floats(const attn_geometry *g, size_t frames, size_t keys, size_t heads) {
    size_t tile = attn_blas_tile_bound(frames), rows = score_rows(g, tile), d_k = attn_head_dim(g);
    size_t scores = attn_blas_scores_bound(frames, keys, score_rows(g, 1));
    size_t position = attn_has_rel_pos(g) ? tile * (d_k + tile) + scores : 0;
    return tile * heads * d_k + scores + rows + position;
}

static attend_buffers divide_workspace(const attn_geometry *g, float *workspace, size_t tile, size_t heads,
                                       size_t keys) {
    attend_buffers b = {.q = workspace};
    size_t rows = score_rows(g, tile), d_k = attn_head_dim(g);
    b.scores = b.q + tile * heads * d_k;
    b.sums = b.scores + rows * keys;
    b.biased = b.sums + rows;
    b.terms = b.biased + tile * d_k;
    return b;
}

/* context = softmax(scale (scores + Q K^T)) V for `rows` queries; beta 0 where scores hold nothing yet. */
static void attend_block(float *context, size_t ldc, const float *q, size_t ldq, size_t rows, const float *k,
                         const float *v, size_t stride, size_t n, size_t d_k, float beta,
                         const attend_buffers *b) {
    attn_gemm_nt(rows, n, d_k, 1.0f, q, ldq, k, stride, beta, b->scores, n);
    attn_blas_softmax(b->scores, b->sums, rows, n, 1.0f / sqrtf((float)d_k));
    attn_gemm_nn(rows, d_k, n, 1.0f, b->scores, n, v, stride, 0.0f, context, ldc);
    for (size_t r = 0; r < rows; r++)
        attn_rows()->scale(context + r * ldc, d_k, 1.0f / b->sums[r]);
}

static void attend_head(const attn_blas_view *view, const attn_blas_keys *keys, size_t head, size_t i0,
                        size_t m, const attend_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), ldq = keys->heads * d_k, local = head - keys->head0;
    size_t kv = local / keys->group * keys->head_stride;
    const float *q = b->q + local * d_k;
    float *context = view->out + i0 * g->d_model + head * d_k;
    if (!keys->position) {
        attend_block(context, g->d_model, q, ldq, m, keys->k + kv, keys->v + kv, keys->stride, view->valid,
                     d_k, 0.0f, b);
        return;
    }
    attn_blas_add_bias(b->biased, q, ldq, view->layer->pos_bias_v + head * d_k, m, d_k);
    attn_blas_position_scores(b->scores, view, b->biased, keys->position + local * d_k, ldq, i0, m, b->terms);
    attn_blas_add_bias(b->biased, q, ldq, view->layer->pos_bias_u + head * d_k, m, d_k);
    attend_block(context, g->d_model, b->biased, d_k, m, keys->k + kv, keys->v + kv, keys->stride,
                 view->valid, d_k, 1.0f, b);
}

/* One query: the heads that share keys are the rows of one product. */
static void attend_shared(const attn_blas_view *view, const attn_blas_keys *keys, size_t head,
                          const attend_buffers *b) {
    size_t d_k = attn_head_dim(&view->layer->geometry), local = head - keys->head0;
    size_t kv = local / keys->group * keys->head_stride;
    attend_block(view->out + head * d_k, d_k, b->q + local * d_k, d_k, keys->group, keys->k + kv,
                 keys->v + kv, keys->stride, view->valid, d_k, 0.0f, b);
}

void attn_blas_clear(const attn_blas_view *view, size_t head0, size_t heads) {
    const attn_geometry *g = &view->layer->geometry;
    for (size_t i = 0; i < view->frames; i++)
        memset(view->out + i * g->d_model + head0 * attn_head_dim(g), 0,
               heads * attn_head_dim(g) * sizeof(float));
}

void attn_blas_attend(const attn_blas_view *view, const attn_blas_keys *keys, float *workspace) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), tile = attn_blas_tile(view->frames, view->held + view->frames);
    if (!view->valid) {
        attn_blas_clear(view, keys->head0, keys->heads);
        return;
    }
    attend_buffers b = divide_workspace(g, workspace, tile, keys->heads, view->valid);
    attn_linear q_proj = attn_linear_rows(&view->layer->q_proj, keys->head0 * d_k, keys->heads * d_k);
    for (size_t i0 = 0; i0 < view->frames; i0 += tile) {
        size_t m = smaller(tile, view->frames - i0);
        attn_linear_blas(b.q, q_proj.out, view->x + i0 * g->d_model, g->d_model, &q_proj, m);
        if (view->frames == 1 && keys->group > 1 && !keys->position)
            for (size_t head = keys->head0; head < keys->head0 + keys->heads; head += keys->group)
                attend_shared(view, keys, head, &b);
        else
            for (size_t head = keys->head0; head < keys->head0 + keys->heads; head++)
                attend_head(view, keys, head, i0, m, &b);
    }
}

size_t attn_blas_project_floats(const attn_geometry *g, size_t rows) {
    return smaller(rows, ROWS) * g->d_model;
}

void attn_blas_project(float *out, const attn_layer *layer, size_t rows, float *workspace) {
    size_t d_model = layer->geometry.d_model;
    for (size_t r = 0; r < rows; r += ROWS) {
        size_t count = smaller(ROWS, rows - r);
        memcpy(workspace, out + r * d_model, count * d_model * sizeof(float));
        attn_linear_blas(out + r * d_model, d_model, workspace, d_model, &layer->out_proj, count);
    }
}
