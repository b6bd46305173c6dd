#include "impl/attention/positions.h"

#include "attn/size.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <string.h>

enum { ROWS = 128 }; /* sinusoids projected, or turned queries multiplied, together */

static size_t width_of(const attn_geometry *g) {
    return g->d_model + g->d_model % 2;
}

/* ---- Which way ---- */

static double fold_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    return (double)(batch * frames) * (attn_linear_flops(1, g->d_model, g->d_model) +
                                       attn_linear_flops(g->num_heads, keys, width_of(g)));
}

static double project_flops(const attn_geometry *g, size_t batch, size_t frames, double scores, size_t keys) {
    return attn_linear_flops(attn_position_count(g, frames, keys), g->d_model, g->d_model) +
           2.0 * (double)batch * scores * (double)g->d_model;
}

bool attn_blas_folds(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    return attn_has_rel_pos(g) && fold_flops(g, batch, frames, keys) <
                                      project_flops(g, batch, frames, (double)frames * (double)keys, keys);
}

/* Keys go in stretches of equal length, none over 256. */
static size_t stretches(size_t keys) {
    return (keys + ATTN_SINUSOIDS_FINE - 1) / ATTN_SINUSOIDS_FINE;
}

static size_t stretch_length(size_t keys) {
    return keys ? (keys + stretches(keys) - 1) / stretches(keys) : 0;
}

double attn_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                size_t tile) {
    if (!attn_has_rel_pos(g) || !frames)
        return 0.0;
    if (attn_blas_folds(g, batch, frames, keys))
        return fold_flops(g, batch, frames, stretches(keys) * stretch_length(keys));
    double scores = (double)frames * (double)keys;
    if (g->pos_enc == ATTN_POS_REL) { /* m queries share a window of keys + m - 1 positions */
        double last = (double)(frames % tile), whole = (double)(frames / tile), m = (double)tile;
        scores += whole * m * (m - 1.0) + last * (last - 1.0);
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

size_t attn_blas_position_floats(const attn_geometry *g, size_t rows, size_t tile) {
    if (!attn_has_rel_pos(g))
        return 0;
    return tile * attn_head_dim(g) + (rows + ROWS + 1) * width_of(g);
}

size_t attn_blas_position_slack(const attn_geometry *g, size_t rows, size_t tile, size_t keys) {
    return attn_has_rel_pos(g) ? rows * attn_larger(tile, stretches(keys)) + tile : 0;
}

/* ---- Project ---- */

size_t attn_blas_position_count(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    return attn_blas_folds(g, batch, frames, keys) ? 0 : attn_position_count(g, frames, keys);
}

/* More queries make projecting cheaper: with at most `frames` of them a call projects only where keys are so
 * few that
 *   d^2 (keys + frames - 1) + B frames keys d <= B frames (d^2 + h keys d),
 * keys in place of keys + frames - 1 under rel_pos_wenet. */
size_t attn_blas_position_bound(const attn_geometry *g, size_t batch, size_t frames, size_t keys) {
    if (!attn_has_rel_pos(g))
        return 0;
    double d = (double)g->d_model, queries = (double)(batch * frames);
    double slope = d * d - queries * ((double)(g->num_heads * width_of(g)) - d);
    double free = g->pos_enc == ATTN_POS_REL ? 1.0 + queries - (double)frames : queries;
    double most = slope > 0.0 ? d * d * free / slope + 1.0 : (double)keys;
    return attn_position_count(g, frames, most < (double)keys ? (size_t)most : keys);
}

const float *attn_blas_project_positions(float *table, const attn_layer *layer, const attn_cache *cache,
                                         const attn_call *call, size_t head0, size_t heads) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, d_k = attn_head_dim(g), width = width_of(g);
    size_t count = attn_blas_position_count(g, call->batch, call->frames, held + call->frames);
    long first = attn_first_position(g, cache, call, held), step = 1;
    if (g->pos_enc == ATTN_POS_REL) {
        first += (long)call->frames - 1;
        step = -1;
    }
    attn_linear part = attn_linear_rows(&layer->linear_pos, head0 * d_k, heads * d_k);
    float *rows = table + count * part.out;
    for (size_t c = 0; c < count; c += ROWS) {
        size_t some = attn_smaller(ROWS, count - c);
        for (size_t r = 0; r < some; r++)
            attn_sinusoids_row(call->sinusoids, rows + r * width, first + step * (long)(c + r));
        attn_linear_blas(table + c * part.out, part.out, rows, width, &part, some);
    }
    return count ? table : NULL;
}

size_t attn_blas_project_positions_floats(const attn_geometry *g, size_t count) {
    return attn_smaller(ROWS, count) * width_of(g);
}

/* biased [m, d_k] = q + v of one head. */
static void add_bias(float *biased, const attn_blas_view *view, const float *q, size_t ldq, size_t head,
                     size_t m) {
    size_t d_k = attn_head_dim(&view->layer->geometry);
    attn_blas_add_bias(biased, q, ldq, view->layer->pos_bias_v + head * d_k, m, d_k);
}

/* Under rel_pos query i0 + r, key j is column m - 1 - r + j of the window that begins at row T - i0 - m of
 * the projected positions: with rows of n + m floats, m - 1 floats from the start and n + m - 1 apart. */
static void project_scores(float *scores, const attn_blas_view *view, const float *biased,
                           const float *projected, size_t ldp, size_t i0, size_t m) {
    size_t d_k = attn_head_dim(&view->layer->geometry), n = view->valid;
    if (view->layer->geometry.pos_enc == ATTN_POS_REL)
        attn_gemm_nt(m, n + m - 1, d_k, 1.0f, biased, d_k, projected + (view->frames - i0 - m) * ldp, ldp,
                     0.0f, scores, n + m);
    else
        attn_gemm_nt(m, n, d_k, 1.0f, biased, d_k, projected, ldp, 0.0f, scores, n);
}

/* ---- Fold ---- */

/* folded [m, width] = W^T biased, in pairs: the factors of sin and cos. Under rel_pos keys count down from
 * the position of key 0, and the angle's sign goes into the factors of sin. */
static void fold_queries(float *folded, const attn_blas_view *view, const float *biased, size_t head,
                         size_t m) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), width = width_of(g);
    attn_linear w = attn_linear_rows(&view->layer->linear_pos, head * d_k, d_k);
    attn_gemm_nn(m, g->d_model, d_k, 1.0f, biased, d_k, w.weight, w.in, 0.0f, folded, width);
    for (size_t r = 0; r < m; r++) {
        float *row = folded + r * width;
        for (size_t c = g->d_model; c < width; c++)
            row[c] = 0.0f;
        for (size_t c = 0; g->pos_enc == ATTN_POS_REL && c < width; c += 2)
            row[c] = -row[c];
    }
}

/* scores [rows, stretches, length] = folded [rows, width] against every key; rows are (head, query). */
static void folded_scores(float *scores, const attn_blas_view *view, const float *folded, size_t rows,
                          size_t i0, size_t m, float *workspace) {
    size_t width = view->sinusoids->width, n = view->valid, parts = stretches(n), length = stretch_length(n);
    bool relative = view->layer->geometry.pos_enc == ATTN_POS_REL;
    float *turned = workspace, *angle = turned + ROWS * width;
    for (size_t at = 0; at < rows * parts; at += ROWS) {
        size_t some = attn_smaller(ROWS, rows * parts - at);
        for (size_t k = 0; k < some; k++) {
            size_t row = (at + k) / parts, key = (at + k) % parts * length;
            long position =
                relative ? view->position + (long)(i0 + row % m) - (long)key : -view->position - (long)key;
            attn_sinusoids_row(view->sinusoids, angle, position);
            attn_rows()->add_angles(turned + k * width, folded + row * width, angle, width / 2);
        }
        attn_gemm_nt(some, length, width, 1.0f, turned, width, view->sinusoids->fine, width, 0.0f,
                     scores + at * length, length);
    }
}

void attn_blas_position_scores(float *scores, const attn_blas_view *view, const float *q, size_t ldq,
                               const float *projected, size_t ldp, size_t head, size_t heads, size_t i0,
                               size_t m, float *workspace) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), stride = attn_blas_score_rows(view, m).stride;
    float *biased = workspace, *folded = biased + m * d_k;
    for (size_t i = 0; i < heads; i++) {
        add_bias(biased, view, q + i * d_k, ldq, head + i, m);
        if (view->folds)
            fold_queries(folded + i * m * width_of(g), view, biased, head + i, m);
        else
            project_scores(scores + i * m * stride, view, biased, projected + i * d_k, ldp, i0, m);
    }
    if (view->folds)
        folded_scores(scores, view, folded, heads * m, i0, m, folded + heads * m * width_of(g));
}
