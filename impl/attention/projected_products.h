/* Products with projected positions, W s(p) of positions.h, of a call or kept. Private to impl/attention. */
#ifndef IMPL_ATTENTION_PROJECTED_PRODUCTS_H
#define IMPL_ATTENTION_PROJECTED_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>

/* Those of some heads, in the order of keys: under rel_pos from the last query against key 0 down, under rel_pos_wenet
 * up. */
typedef struct attn_projected_rows {
    const float *data; /* from the first head on; NULL: the call folds, or has no positions */
    size_t head;       /* floats from a head's to the next one's */
    size_t stride;     /* of rows: floats from one to the next */
    bool panels; /* in place of rows, as attn_projected has them; the call begins with their number `at` */
    size_t at;
} attn_projected_rows;

/* Those from one of these heads on. */
attn_projected_rows attn_projected_heads(attn_projected_rows p, size_t head);

/* y [m, count], rows ldy apart: x [m, d_k] by positions first .. first + count - 1 of the first head. */
void attn_projected_multiply(float *y, size_t ldy, const float *x, size_t m, size_t d_k,
                             const attn_projected_rows *p, size_t first, size_t count);
/* Of these positions how many end where a panel ends; 0 where there are rows. */
size_t attn_projected_whole(const attn_projected_rows *p, size_t first, size_t count);

#endif
