#include "impl/attention/softmax/softmax_blas.h"

#include "attn/size.h"
#include "attn/threads.h"
#include "impl/attention/parts.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <math.h>
#include <string.h>

enum {
    ROWS = 256,                 /* rows of x projected together */
    TILE_SCORES = 1 << 17,      /* scores of a tile: 512 KiB */
    SMALLEST_TILE = 64,         /* below this, matrix products lose their speed */
    GROUP_FLOATS = 5 * 1 << 20, /* computed keys, values and positions: 20 MiB */
    FEW_ROWS = 32               /* for each thread: with fewer, a map shares its columns */
};

size_t attn_blas_head_group(const attn_geometry *g, size_t floats) {
    return attn_smaller(g->num_heads, attn_larger(1, GROUP_FLOATS / attn_larger(1, floats)));
}

size_t attn_blas_tile(size_t frames, size_t keys) {
    size_t rows = attn_larger(SMALLEST_TILE, TILE_SCORES / attn_larger(1, keys));
    return attn_smaller(frames, attn_smaller(ROWS, rows));
}

size_t attn_blas_heads_together(size_t tile, size_t keys) {
    return attn_smaller(TILE_SCORES / (tile * keys), ROWS / tile);
}

float *attn_blas_group_layout(attn_arena *arena, const attn_geometry *g, size_t rows) {
    size_t all = attn_times(rows, g->d_model), one = attn_times(rows, attn_head_dim(g));
    return attn_arena_floats(arena, 1, attn_smaller(all, attn_larger(GROUP_FLOATS, one)));
}

size_t attn_blas_tile_bound(size_t frames) {
    return attn_smaller(frames, ROWS);
}

float *attn_blas_scores_layout(attn_arena *arena, const attn_geometry *g, size_t rows, size_t tile,
                               size_t keys, size_t unit, size_t threads) {
    size_t fewest = attn_smaller(rows, attn_larger(SMALLEST_TILE, unit));
    size_t scores = attn_larger(attn_smaller(attn_times(rows, keys), TILE_SCORES), attn_times(fewest, keys));
    return attn_arena_floats(arena, threads,
                             attn_plus(scores, attn_blas_position_slack(g, rows, tile, keys)));
}

attn_blas_view attn_blas_view_of(float *out, const attn_layer *layer, const attn_cache *cache,
                                 const attn_call *call, size_t b, size_t held) {
    size_t offset = b * call->frames * layer->geometry.d_model;
    return (attn_blas_view){
        .layer = layer,
        .x = call->x + offset,
        .out = out + offset,
        .frames = call->frames,
        .held = held,
        .valid = attn_valid_keys(cache, call, b, held + call->frames),
        .sinusoids = call->sinusoids,
        .position = attn_first_position(&layer->geometry, cache, call, held),
        .folds = attn_blas_folds(&layer->geometry, call->batch, call->frames, held + call->frames) &&
                 !attn_keeps_positions(&layer->geometry, cache, call, held)};
}

float *attn_blas_append_layout(attn_arena *arena, size_t frames, size_t width) {
    return attn_arena_floats(arena, attn_smaller(frames, ROWS), width);
}

static void scatter_heads(attn_cache *cache, size_t slot, size_t b, size_t at, const float *rows,
                          size_t count) {
    size_t heads = attn_larger(1, cache->slot[slot].heads), width = cache->slot[slot].width;
    for (size_t head = 0; head < heads; head++)
        attn_cache_store(cache, slot, b, head, at, rows + head * width, heads * width, count);
}

static void share_rows(attn_share_function *work, void *context, size_t rows) {
    if (rows < FEW_ROWS * attn_threads_in_use())
        work(context, 0, 1);
    else
        attn_share(work, context);
}

/* Frames t .. t + count - 1 of utterance b through a map into a slot. */
typedef struct appending {
    attn_cache *cache;
    size_t slot, b, t, count;
    const attn_linear *w;
    const attn_call *call;
    float *rows;
    attn_map_function *linear;
} appending;

static void append_part(void *context, size_t part, size_t parts) {
    const appending *a = context;
    size_t d_model = a->cache->geometry.d_model;
    attn_range range = attn_part_range(a->count, 1, part, parts);
    size_t first = a->t + range.begin, count = range.end - range.begin;
    float *rows = a->rows + range.begin * a->w->out;
    attn_mark_inner(ATTN_INNER_PROJECTIONS);
    a->linear(rows, a->w->out, a->call->x + (a->b * a->call->frames + first) * d_model, d_model, a->w, count);
    attn_mark_inner(ATTN_INNER_CACHE_WRITE);
    scatter_heads(a->cache, a->slot, a->b, a->cache->length + first, rows, count);
}

void attn_blas_append(attn_cache *cache, size_t slot, const attn_linear *w, const attn_call *call,
                      float *rows, attn_map_function *linear) {
    appending a = {.cache = cache, .slot = slot, .w = w, .call = call, .rows = rows, .linear = linear};
    for (a.b = 0; a.b < call->batch; a.b++)
        for (a.t = 0; a.t < call->frames; a.t += ROWS) {
            a.count = attn_smaller(ROWS, call->frames - a.t);
            share_rows(append_part, &a, a.count);
        }
}

void attn_blas_softmax(float *scores, size_t stride, float *sums, size_t rows, size_t keys, float scale) {
    const attn_row_kernels *kernels = attn_rows();
    for (size_t r = 0; r < rows; r++)
        sums[r] = kernels->softmax_numerators(scores + r * stride, keys, scale);
}

/* Queries of a tile, and heads whose scores are computed together. */
typedef struct attend_plan {
    size_t tile;
    size_t unit;     /* heads in one product: those that share keys where there is one query */
    size_t together; /* a multiple of unit: heads whose positions are scored together */
} attend_plan;

static attend_plan plan_heads(const attn_blas_view *view, const attn_blas_keys *keys) {
    size_t held = view->held + view->frames;
    attend_plan p = {.tile = attn_blas_tile(view->frames, held)};
    p.unit = view->frames == 1 && !keys->position.data ? keys->group : 1;
    size_t fit = attn_blas_heads_together(p.tile, held);
    p.together = view->folds ? attn_smaller(keys->heads, attn_larger(p.unit, fit - fit % p.unit)) : p.unit;
    return p;
}

attn_attend_buffers attn_blas_attend_layout(attn_arena *arena, const attn_geometry *g, size_t frames,
                                            size_t keys) {
    size_t tile = attn_blas_tile_bound(frames), group = g->num_heads / attn_kv_heads(g),
           rows = attn_larger(tile, group);
    bool positions = attn_has_rel_pos(g);
    size_t together =
        positions ? attn_larger(rows, attn_smaller(attn_times(g->num_heads, tile), ROWS)) : rows;
    attn_attend_buffers b;
    b.q = attn_arena_floats(arena, tile, g->d_model);
    b.sums = attn_arena_floats(arena, 1, rows);
    b.biased = attn_arena_floats(arena, positions ? rows : 0, attn_head_dim(g));
    b.position = attn_blas_position_layout(arena, g, together, tile, 1);
    b.scores = attn_blas_scores_layout(arena, g, together, tile, keys, group, 1);
    return b;
}

/* context = softmax(scale (scores + Q K^T)) V for `rows` queries; beta 0 where scores hold nothing yet. */
static void attend_block(float *context, size_t ldc, const float *q, size_t ldq, size_t rows, const float *k,
                         const float *v, size_t ldk, size_t n, size_t d_k, float beta, float *scores,
                         size_t stride, float *sums) {
    attn_mark_inner(ATTN_INNER_SCORES);
    attn_gemm_nt(rows, n, d_k, 1.0f, q, ldq, k, ldk, beta, scores, stride);
    attn_mark_inner(ATTN_INNER_SOFTMAX);
    attn_blas_softmax(scores, stride, sums, rows, n, 1.0f / sqrtf((float)d_k));
    attn_mark_inner(ATTN_INNER_VALUES);
    attn_gemm_nn(rows, d_k, n, 1.0f, scores, stride, v, ldk, 0.0f, context, ldc);
    for (size_t r = 0; r < rows; r++)
        attn_rows()->scale(context + r * ldc, d_k, 1.0f / sums[r]);
}

/* Contexts of `unit` heads for m queries; unit or m is 1, so that rows of one product are heads or
 * queries. */
static void attend_unit(const attn_blas_view *view, const attn_blas_keys *keys, size_t head, size_t unit,
                        size_t i0, size_t m, float *scores, size_t stride, const attn_attend_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), ldq = keys->heads * d_k;
    size_t kv = (head / keys->group - keys->head0 / keys->group) * keys->head_stride;
    const float *q = b->q + (head - keys->head0) * d_k;
    bool positions = attn_has_rel_pos(g);
    if (positions) {
        attn_mark_inner(ATTN_INNER_POSITIONS);
        attn_blas_add_bias(b->biased, q, ldq, view->layer->pos_bias_u + head * d_k, m, unit * d_k);
        q = b->biased;
    }
    const char *k = keys->k, *v = keys->v;
    attend_block(view->out + i0 * g->d_model + head * d_k, unit > 1 ? d_k : g->d_model, q,
                 positions || unit > 1 ? d_k : ldq, unit * m, (const float *)(const void *)(k + kv),
                 (const float *)(const void *)(v + kv), keys->stride / sizeof(float), view->valid, d_k,
                 positions ? 1.0f : 0.0f, scores, stride, b->sums);
}

static void attend_tile(const attn_blas_view *view, const attn_blas_keys *keys, const attend_plan *p,
                        size_t i0, size_t m, const attn_attend_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), width = keys->heads * d_k;
    attn_score_rows rows = attn_blas_score_rows(view, m);
    for (size_t first = 0; first < keys->heads; first += p->together) {
        size_t some = attn_smaller(p->together, keys->heads - first);
        if (attn_has_rel_pos(g)) {
            attn_mark_inner(ATTN_INNER_POSITIONS);
            attn_blas_position_scores(b->scores, view, b->q + first * d_k, width,
                                      attn_projected_heads(keys->position, first), keys->head0 + first, some,
                                      i0, m, &b->position);
        }
        for (size_t i = 0; i < some; i += p->unit)
            attend_unit(view, keys, keys->head0 + first + i, p->unit, i0, m,
                        b->scores + rows.start + i * m * rows.stride, rows.stride, b);
    }
}

void attn_blas_attend(const attn_blas_view *view, const attn_blas_keys *keys, const attn_attend_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g);
    if (!view->valid || !view->frames) {
        attn_blas_clear(view, keys->head0, keys->heads);
        return;
    }
    attend_plan p = plan_heads(view, keys);
    attn_linear q_proj = attn_linear_rows(&view->layer->q_proj, keys->head0 * d_k, keys->heads * d_k);
    for (size_t i0 = 0; i0 < view->frames; i0 += p.tile) {
        size_t m = attn_smaller(p.tile, view->frames - i0);
        attn_mark_inner(ATTN_INNER_PROJECTIONS);
        attn_linear_blas(b->q, q_proj.out, view->x + i0 * g->d_model, g->d_model, &q_proj, m);
        attend_tile(view, keys, &p, i0, m, b);
    }
}

float *attn_blas_project_layout(attn_arena *arena, const attn_geometry *g, size_t rows) {
    return attn_arena_floats(arena, attn_smaller(rows, ROWS), g->d_model);
}

typedef struct projecting {
    float *rows, *copy; /* [count, d_model] */
    size_t count;
    const attn_linear *out_proj;
    attn_map_function *linear;
} projecting;

static void project_part(void *context, size_t part, size_t parts) {
    const projecting *p = context;
    attn_range range = attn_part_range(p->count, 1, part, parts);
    size_t d_model = p->out_proj->in, at = range.begin * d_model, count = range.end - range.begin;
    memcpy(p->copy + at, p->rows + at, count * d_model * sizeof(float));
    p->linear(p->rows + at, d_model, p->copy + at, d_model, p->out_proj, count);
}

void attn_blas_project(float *out, const attn_layer *layer, size_t rows, float *copy,
                       attn_map_function *linear) {
    attn_mark_inner(ATTN_INNER_PROJECTIONS);
    projecting p = {.copy = copy, .out_proj = &layer->out_proj, .linear = linear};
    for (size_t r = 0; r < rows; r += ROWS) {
        p.rows = out + r * layer->geometry.d_model;
        p.count = attn_smaller(ROWS, rows - r);
        share_rows(project_part, &p, p.count);
    }
}
