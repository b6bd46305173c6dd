/* Feed-forward module with its pre-norm (Gulati et al. 2020, section 2.3): W_2 swish(W_1 LayerNorm(x)). */
#include "impl/encoder/encoder.h"

typedef struct feed_forward_buffers {
    float *normed, *inner; /* [tile, d_model], [tile, ff_units] */
} feed_forward_buffers;

static feed_forward_buffers layout(attn_arena *arena, const attn_encoder_call *call) {
    size_t tile = attn_smaller(call->batch * call->frames, ATTN_TILE_ROWS);
    return (feed_forward_buffers){.normed = attn_arena_floats(arena, tile, call->config->attention.d_model),
                                  .inner = attn_arena_floats(arena, tile, call->config->ff_units)};
}

size_t attn_feed_forward_peak(const attn_encoder_call *call, attn_arena arena) {
    layout(&arena, call);
    return arena.peak;
}

void attn_feed_forward_add(float *x, float factor, const attn_feed_forward *w, const attn_encoder_call *call,
                           attn_arena arena) {
    const attn_encoder_ops *ops = call->ops;
    size_t d_model = call->config->attention.d_model, units = w->w_1.out, rows = call->batch * call->frames;
    feed_forward_buffers b = layout(&arena, call);
    attn_mark_part(call, ATTN_PART_FEED_FORWARD);
    for (size_t r = 0; r < rows; r += ATTN_TILE_ROWS) {
        size_t count = attn_smaller(ATTN_TILE_ROWS, rows - r);
        float *tile = x + r * d_model;
        ops->layer_norm(b.normed, tile, &w->norm, count, call->config->layer_norm_eps);
        ops->linear(b.inner, units, b.normed, d_model, &w->w_1, count);
        ops->swish(b.inner, count * units);
        ops->linear(b.normed, d_model, b.inner, units, &w->w_2, count);
        ops->add_scaled(tile, b.normed, count * d_model, factor);
    }
}
