/* Relative positions in the implementations by matrix products. Private to impl/attention.
 *
 * A score's position term is (q + v) . W s(p), s(p) being the sinusoids of position p. It is computed in one
 * of two ways, the one with fewer FLOPs:
 *
 *   project  W s(p) for every position of the call, 2 d_model^2 each; then d_k products a score.
 *   fold     r = W^T (q + v) for every query and head; then r . s(p), d_model products a score.
 *
 * Folding suits few queries (decode), projecting many. Where the caller keeps them projected (projected.h), a
 * call does neither; the FLOPs by formula stay those of the cheaper way. No way needs the sinusoids of all positions at once:
 * projecting takes them in tiles; folding divides the keys into stretches of at most 255. By the addition
 * theorem r . s(c - b) is the product of r turned by c, the middle of a stretch, with s(b), so that the same
 * rows s(0), s(1), ... serve every stretch. As sin(-b) = -sin(b), the sines' and the cosines' products with
 * s(b) give the scores on either side of the middle: their sum and their difference. */
#ifndef IMPL_ATTENTION_POSITIONS_H
#define IMPL_ATTENTION_POSITIONS_H

#include "base/arena.h"
#include "impl/attention/projected_products.h"
#include "impl/attention/view.h"

/* The scores of a tile: row r of key 0 is `start` + r `stride` floats into the buffer. Under rel_pos the
 * products of a tile's queries with their window of projected positions are laid out so that this is the
 * relative shift. */
typedef struct attn_score_rows {
    size_t start, stride;
} attn_score_rows;
attn_score_rows attn_blas_score_rows(const attn_blas_view *view, size_t queries);

/* Whether a call folds. */
bool attn_blas_folds(const attn_geometry *g, size_t batch, size_t frames, size_t keys);

/* Positions to project; 0 when the call folds or has none. */
size_t attn_blas_position_count(const attn_geometry *g, size_t batch, size_t frames, size_t keys);
/* Upper bound of that, for calls of at most `frames` and `keys`. */
size_t attn_blas_position_bound(const attn_geometry *g, size_t batch, size_t frames, size_t keys);

/* FLOPs of positions where tiles have `tile` queries. */
double attn_blas_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                size_t tile);

/* Workspace of attn_blas_position_scores: what the first of several threads has. */
typedef struct attn_position_buffers {
    float *biased;          /* [tile, d_k]: queries of one head, with v */
    float *folded;          /* [rows, width]: W^T biased, for (head, query) */
    float *turned;          /* [128, width]: some of those, turned by the middle of a stretch */
    float *angle;           /* [width] */
    float *sines, *cosines; /* [128, 128]: their products with the sinusoids of one side */
    size_t next;            /* floats from a thread's to the next one's */
} attn_position_buffers;
/* For at most `rows` (heads m) of a thread and tiles of at most `tile` queries; nothing without rel_pos*. */
attn_position_buffers attn_blas_position_layout(attn_arena *arena, const attn_geometry *g, size_t rows,
                                                size_t tile, size_t threads);
attn_position_buffers attn_blas_position_buffers_of(const attn_position_buffers *first, size_t thread);

/* Position scores of queries i0 .. i0 + m - 1 and `heads` heads from `head` on: row (head, i) is head m + i,
 * laid out as attn_blas_score_rows says. q [m, heads d_k] with rows ldq apart, without v. `projected` is
 * that of the first head on. */
void attn_blas_position_scores(float *scores, const attn_blas_view *view, const float *q, size_t ldq,
                               attn_projected_rows projected, size_t head, size_t heads, size_t i0, size_t m,
                               const attn_position_buffers *buffers);

/* How many floats more than rows keys those scores take: upper bound for all calls of at most `rows`
 * rows, `tile` queries of a tile and `keys` keys. */
size_t attn_blas_position_slack(const attn_geometry *g, size_t rows, size_t tile, size_t keys);

#endif
