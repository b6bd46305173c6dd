/* Products with projected positions, W s(p) of positions.h: those of one call, or those kept. Private to impl/. */
#ifndef IMPL_ATTENTION_PROJECTED_PRODUCTS_H
#define IMPL_ATTENTION_PROJECTED_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>

/* The positions of a call, of some heads, in the order of keys: under rel_pos from the last query against key 0 down,
 * under rel_pos_wenet up. */
typedef struct attn_projected_rows {
    const float *data; /* from the first head on; NULL: the call folds, or has no positions */
    size_t head;       /* floats from one head to the next */
    size_t stride;     /* of rows: floats from one position to the next */
    bool panels;       /* panels in place of rows, as in attn_projected */
    size_t at;         /* of panels: the number of the call's first position in them */
} attn_projected_rows;

/* The same, from a later one of these heads on. */
attn_projected_rows attn_projected_heads(attn_projected_rows p, size_t head);

/* y [m, count], rows ldy apart: x [m, d_k] by positions first .. first + count - 1 of the first head. */
void attn_projected_multiply(float *y, size_t ldy, const float *x, size_t m, size_t d_k,
                             const attn_projected_rows *p, size_t first, size_t count);
/* How many of these positions come before the last end of a panel; 0 where there are rows. */
size_t attn_projected_whole(const attn_projected_rows *p, size_t first, size_t count);

#endif
