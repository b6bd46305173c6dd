/* Feed-forward module with its pre-norm (Gulati et al. 2020, section 2.3): W_2 swish(W_1 LayerNorm(x)). */
#include "impl/encoder/encoder.h"

size_t attn_feed_forward_floats(const attn_config *config, size_t rows) {
    return attn_smaller(rows, ATTN_TILE_ROWS) * (config->attention.d_model + config->ff_units);
}

void attn_feed_forward_add(float *x, float factor, const attn_feed_forward *w,
                           const attn_encoder_call *call) {
    const attn_encoder_ops *ops = call->ops;
    size_t d_model = call->config->attention.d_model, units = w->w_1.out, rows = call->batch * call->frames;
    float *normed = call->workspace, *inner = normed + attn_smaller(rows, ATTN_TILE_ROWS) * d_model;
    attn_mark_part(call, ATTN_PART_FEED_FORWARD);
    for (size_t r = 0; r < rows; r += ATTN_TILE_ROWS) {
        size_t count = attn_smaller(ATTN_TILE_ROWS, rows - r);
        float *tile = x + r * d_model;
        ops->layer_norm(normed, tile, &w->norm, count, call->config->layer_norm_eps);
        ops->linear(inner, units, normed, d_model, &w->w_1, count);
        ops->swish(inner, count * units);
        ops->linear(normed, d_model, inner, units, &w->w_2, count);
        ops->add_scaled(tile, normed, count * d_model, factor);
    }
}
