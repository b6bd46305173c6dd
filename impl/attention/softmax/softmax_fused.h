/* Softmax attention by the fused kernels, which never hold the scores of more than a block of keys: see
 * impl/kernels/attend.h. Only scores of positions, where there are any, are computed before, for a tile of
 * queries, as softmax_blas.h does. Private to impl/attention. */
#ifndef IMPL_ATTENTION_SOFTMAX_SOFTMAX_FUSED_H
#define IMPL_ATTENTION_SOFTMAX_SOFTMAX_FUSED_H

#include "impl/attention/softmax/softmax_blas.h"

/* What the fast implementations differ in: "blas" and "fused". */
typedef struct attn_way {
    attn_products products;
    bool fused; /* attends by the fused kernels */
} attn_way;
extern const attn_way attn_way_blas, attn_way_fused;

/* Queries that go together. */
size_t attn_fused_tile(const attn_geometry *g, size_t frames, size_t keys);

/* Contexts of a group of heads into view->out, as attn_blas_attend. */
typedef struct attn_fused_buffers {
    float *q;      /* [tile, heads d_k] */
    float *kernel; /* workspace of attn_attend_shared */
    float *biased; /* [rows, d_k]: queries with u, (head, query); rel_pos* */
    attn_position_buffers position;
    float *scores; /* of positions, laid out as attn_blas_score_rows says; rel_pos* */
} attn_fused_buffers;
attn_fused_buffers attn_fused_attend_layout(attn_arena *arena, const attn_geometry *g, size_t frames,
                                            size_t keys, size_t threads);
void attn_fused_attend(const attn_blas_view *view, const attn_blas_keys *keys, const attn_fused_buffers *b);

#endif
