#include "impl/attention/positions.h"

#include "attn/size.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <string.h>

enum {
    ROWS = 128,   /* turned queries multiplied together */
    STRETCH = 255 /* keys that share a turned query: 127 on either side of the middle one */
};

/* Keys go in stretches of equal length. */
static size_t stretches(size_t keys) {
    return keys / STRETCH + (keys % STRETCH != 0);
}

static size_t stretch_length(size_t keys) {
    return keys ? (keys + stretches(keys) - 1) / stretches(keys) : 0;
}

/* Keys from the middle of a stretch to its end, both included: one more than before the middle, or as
 * many. */
static size_t one_side(size_t keys) {
    return stretch_length(keys) / 2 + 1;
}

static double fold_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    size_t sums = stretches(keys) * one_side(keys);
    return (double)(batch * frames) *
           (attn_linear_flops(1, g->d_model, g->d_model) +
            attn_linear_flops(g->num_heads, sums, attn_sinusoids_width(g->d_model)));
}

static double project_flops(const attn_geometry *g, size_t batch, size_t frames, double scores, size_t keys) {
    return attn_linear_flops(attn_position_count(g, frames, keys), g->d_model, g->d_model) +
           2.0 * (double)batch * scores * (double)g->d_model;
}

bool attn_blas_folds(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    return attn_has_rel_pos(g) && fold_flops(g, batch, frames, keys) <
                                      project_flops(g, batch, frames, (double)frames * (double)keys, keys);
}

double attn_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                size_t tile) {
    if (!attn_has_rel_pos(g) || !frames)
        return 0.0;
    if (attn_blas_folds(g, batch, frames, keys))
        return fold_flops(g, batch, frames, keys);
    double scores = (double)frames * (double)keys;
    if (g->pos_enc ==
        ATTN_POS_REL) { /* m queries, but for the last one, share a window of keys + m - 1 positions */
        double last = (double)(frames % tile), whole = (double)(frames / tile), m = (double)tile;
        scores += whole * (m - 1.0) * (m - 1.0) + (last > 0.0 ? (last - 1.0) * (last - 1.0) : 0.0);
    }
    return project_flops(g, batch, frames, scores, keys);
}

attn_score_rows attn_blas_score_rows(const attn_blas_view *view, size_t queries) {
    size_t n = view->valid;
    if (view->folds)
        return (attn_score_rows){.stride = stretches(n) * stretch_length(n)};
    if (view->layer->geometry.pos_enc == ATTN_POS_REL)
        return (attn_score_rows){.start = queries - 1, .stride = n + queries - 1};
    return (attn_score_rows){.stride = n};
}

attn_position_buffers attn_blas_position_layout(attn_arena *arena, const attn_geometry *g, size_t rows,
                                                size_t tile, size_t threads) {
    attn_position_buffers b = {0};
    if (!attn_has_rel_pos(g))
        return b;
    size_t start = attn_arena_mark(arena);
    b.biased = attn_arena_floats(arena, tile, attn_head_dim(g));
    b.folded = attn_arena_floats(arena, rows, attn_sinusoids_width(g->d_model));
    b.turned = attn_arena_floats(arena, ROWS, attn_sinusoids_width(g->d_model));
    b.angle = attn_arena_floats(arena, 1, attn_sinusoids_width(g->d_model));
    b.sines = attn_arena_floats(arena, ROWS, STRETCH / 2 + 1);
    b.cosines = attn_arena_floats(arena, ROWS, STRETCH / 2 + 1);
    b.next = (attn_arena_mark(arena) - start) / sizeof(float);
    attn_arena_floats(arena, threads - 1, b.next);
    return b;
}

attn_position_buffers attn_blas_position_buffers_of(const attn_position_buffers *first, size_t thread) {
    attn_position_buffers b = *first;
    size_t step = thread * b.next;
    b.biased += step;
    b.folded += step;
    b.turned += step;
    b.angle += step;
    b.sines += step;
    b.cosines += step;
    return b;
}

size_t attn_blas_position_slack(const attn_geometry *g, size_t rows, size_t tile, size_t keys) {
    return attn_has_rel_pos(g) ? attn_plus(attn_times(rows, attn_larger(tile, stretches(keys))), tile) : 0;
}

size_t attn_blas_position_count(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    return attn_blas_folds(g, batch, frames, keys) ? 0 : attn_position_count(g, frames, keys);
}

/* More queries make projecting cheaper: with at most `frames` of them a call projects only where keys are so
 * few that
 *   d^2 (keys + frames - 1) + B frames keys d <= B frames (d^2 + h d sums),
 * keys in place of keys + frames - 1 under rel_pos_wenet. The sums of folding, stretches times one side, are
 * at most keys (1 / 2 + 1.5 / 255) + 1.5. */
size_t attn_blas_position_bound(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    if (!attn_has_rel_pos(g))
        return 0;
    double d = (double)g->d_model, queries = (double)(batch * frames);
    double sum = queries * (double)(g->num_heads * attn_sinusoids_width(g->d_model));
    double slope = d * d + queries * d - sum * (0.5 + 1.5 / STRETCH);
    double free = g->pos_enc == ATTN_POS_REL ? 1.0 + queries - (double)frames : queries;
    double most = slope > 0.0 ? (d * d * free + 1.5 * sum) / slope + 1.0 : (double)keys;
    return attn_position_count(g, frames, most < (double)keys ? (size_t)most : keys);
}

/* biased [m, d_k] = q + v of one head. */
static void add_bias(float *biased, const attn_blas_view *view, const float *q, size_t ldq, size_t head,
                     size_t m) {
    size_t d_k = attn_head_dim(&view->layer->geometry);
    attn_blas_add_bias(biased, q, ldq, view->layer->pos_bias_v + head * d_k, m, d_k);
}

/* Under rel_pos query i0 + r, key j is column m - 1 - r + j of the window that begins at position T - i0 - m of
 * the projected ones: with rows of n + m floats, m - 1 floats from the start and n + m - 1 apart. The last row
 * ends where its keys do, so that heads do not overlap: only whole panels are multiplied for it with the others. */
static void project_scores(float *scores, const attn_blas_view *view, const float *biased,
                           const attn_projected_rows *p, size_t i0, size_t m) {
    size_t d_k = attn_head_dim(&view->layer->geometry), n = view->valid;
    if (view->layer->geometry.pos_enc != ATTN_POS_REL) {
        attn_projected_multiply(scores, n, biased, m, d_k, p, 0, n);
        return;
    }
    size_t last = m - 1, first = view->frames - i0 - m, all = attn_projected_whole(p, first, n);
    attn_projected_multiply(scores, n + m, biased, m, d_k, p, first, all);
    scores += all;
    attn_projected_multiply(scores, n + m, biased, last, d_k, p, first + all, n + last - all);
    attn_projected_multiply(scores + last * (n + m), n + m, biased + last * d_k, 1, d_k, p, first + all,
                            n - all);
}

/* folded [m, width] = W^T biased: the factors of the sines, then those of the cosines. Under rel_pos keys
 * count down from the position of key 0, and the angle's sign goes into the factors of the sines. row is
 * workspace of width floats. */
static void fold_queries(float *folded, const attn_blas_view *view, const float *biased, size_t head,
                         size_t m, float *row) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), width = attn_sinusoids_width(g->d_model), pairs = width / 2;
    float sign = g->pos_enc == ATTN_POS_REL ? -1.0f : 1.0f;
    attn_linear w = attn_linear_rows(&view->layer->linear_pos, head * d_k, d_k);
    attn_gemm_nn(m, g->d_model, d_k, 1.0f, biased, d_k, w.weight, w.in, 0.0f, folded, width);
    row[width - 1] = 0.0f; /* an odd d_model has no last cosine */
    for (size_t r = 0; r < m; r++) {
        memcpy(row, folded + r * width, g->d_model * sizeof *row);
        for (size_t i = 0; i < pairs; i++) {
            folded[r * width + i] = sign * row[2 * i];
            folded[r * width + pairs + i] = row[2 * i + 1];
        }
    }
}

/* Scores of one stretch, from its products with cosines and sines: key `middle` + b has their sum, key
 * `middle` - b their difference. */
static void unfold_stretch(float *scores, const float *cosines, const float *sines, size_t length) {
    size_t middle = (length - 1) / 2;
    for (size_t b = 0; b <= middle; b++)
        scores[middle - b] = cosines[b] - sines[b];
    for (size_t b = 1; b < length - middle; b++)
        scores[middle + b] = cosines[b] + sines[b];
}

/* scores [rows, stretches, length] = folded [rows, width] against every key; rows are (head, query). */
static void folded_scores(float *scores, const attn_blas_view *view, size_t rows, size_t i0, size_t m,
                          const attn_position_buffers *b) {
    size_t width = view->sinusoids->width, pairs = width / 2, n = view->valid;
    size_t parts = stretches(n), length = stretch_length(n), side = one_side(n);
    bool relative = view->layer->geometry.pos_enc == ATTN_POS_REL;
    for (size_t at = 0; at < rows * parts; at += ROWS) {
        size_t some = attn_smaller(ROWS, rows * parts - at);
        for (size_t k = 0; k < some; k++) {
            size_t row = (at + k) / parts, key = (at + k) % parts * length + (length - 1) / 2;
            long position =
                relative ? view->position + (long)(i0 + row % m) - (long)key : -view->position - (long)key;
            attn_sinusoids_halves(view->sinusoids, b->angle, position);
            attn_rows()->add_angles(b->turned + k * width, b->folded + row * width, b->angle, pairs);
        }
        const float *fine = view->sinusoids->fine;
        attn_gemm_nt(some, side, pairs, 1.0f, b->turned, width, fine, width, 0.0f, b->sines, side);
        attn_gemm_nt(some, side, pairs, 1.0f, b->turned + pairs, width, fine + pairs, width, 0.0f, b->cosines,
                     side);
        for (size_t k = 0; k < some; k++)
            unfold_stretch(scores + (at + k) * length, b->cosines + k * side, b->sines + k * side, length);
    }
}

void attn_blas_position_scores(float *scores, const attn_blas_view *view, const float *q, size_t ldq,
                               attn_projected_rows projected, size_t head, size_t heads, size_t i0, size_t m,
                               const attn_position_buffers *b) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), stride = attn_blas_score_rows(view, m).stride;
    for (size_t i = 0; i < heads; i++) {
        add_bias(b->biased, view, q + i * d_k, ldq, head + i, m);
        if (view->folds)
            fold_queries(b->folded + i * m * attn_sinusoids_width(g->d_model), view, b->biased, head + i, m,
                         b->angle);
        else {
            attn_projected_rows own = attn_projected_heads(projected, i);
            project_scores(scores + i * m * stride, view, b->biased, &own, i0, m);
        }
    }
    if (view->folds)
        folded_scores(scores, view, heads * m, i0, m, b);
}
