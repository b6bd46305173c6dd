/* The conv2d input layer: two 3x3 stride-2 convolutions with ReLU, no padding, then a linear map. Frame t of
 * the output sees frames 4 t to 4 t + 6 of the input. Padding is at the end, and a frame that sees any of it
 * is beyond the length that the formula of the output gives. */
#include "impl/encoder/encoder.h"

enum { TILE_ROWS = 16 }; /* output frames together: the convolutions are wide, and stay in a second cache */

static float *convolved_layout(attn_arena *arena, const attn_embed *embed, size_t rows) {
    return attn_arena_floats(arena, attn_smaller(rows, TILE_ROWS), embed->out.in);
}

size_t attn_subsampling_peak(const attn_embed *embed, size_t rows, const attn_encoder_ops *ops,
                             attn_arena arena) {
    convolved_layout(&arena, embed, rows);
    return ops->subsample_peak(embed, attn_smaller(rows, TILE_ROWS), arena);
}

void attn_subsampling(float *y, const float *x, const attn_embed *embed, size_t rows,
                      const attn_encoder_ops *ops, const float *packed, attn_arena arena) {
    size_t d_model = embed->out.out, width = embed->out.in;
    float *convolved = convolved_layout(&arena, embed, rows);
    for (size_t r = 0; r < rows; r += TILE_ROWS) {
        size_t count = attn_smaller(TILE_ROWS, rows - r);
        ops->subsample(convolved, x + 4 * r * embed->bins[0], embed, count, packed, arena);
        ops->linear(y + r * d_model, d_model, convolved, width, &embed->out, count);
    }
}
