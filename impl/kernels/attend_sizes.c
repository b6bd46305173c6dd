#include "attn/size.h"
#include "impl/kernels/attend.h"

enum {
    ROW_BYTES = 131072, /* of a tile's queries and contexts: about what stays in a core's second cache */
    PADDING = 16        /* the largest vector: queries are padded to whole ones */
};

size_t attn_attend_rows(size_t k_width, size_t v_width) {
    size_t rows = ROW_BYTES / sizeof(float) / attn_larger(1, k_width + v_width) / PADDING * PADDING;
    return attn_larger(ATTN_ATTEND_TILE, attn_smaller(ATTN_ATTEND_MOST_ROWS, rows));
}

size_t attn_attend_floats(size_t k_width, size_t v_width) {
    return ATTN_ATTEND_BLOCK * (2 * k_width + v_width) +
           attn_attend_rows(k_width, v_width) * (k_width + PADDING);
}
