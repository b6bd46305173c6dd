#include "impl/encoder/encoder.h"

size_t attn_conformer_floats(const attn_config *config, size_t batch, size_t frames,
                             size_t attention_floats) {
    size_t rows = batch * frames, d_model = config->attention.d_model;
    return attn_larger(
        2 * rows * d_model + attention_floats,
        attn_larger(attn_feed_forward_floats(config, rows), attn_convolution_floats(config, frames)));
}

/* x + Attn(LayerNorm x) */
static void attention_add(float *x, const attn_block *block, attn_cache *kv, const attn_encoder_call *call) {
    size_t count = call->batch * call->frames * call->config->attention.d_model;
    float *attended = call->workspace;
    attn_self_attention(attended, x, block, kv, call, attended + count);
    call->ops->add_scaled(x, attended, count, 1.0f);
}

void attn_conformer_block(float *x, const attn_block *block, const attn_block_state *state,
                          const attn_encoder_call *call) {
    attn_feed_forward_add(x, 0.5f, &block->feed_forward_macaron, call);
    attention_add(x, block, state->kv, call);
    attn_convolution_add(x, &block->convolution, state->conv, call);
    attn_feed_forward_add(x, 0.5f, &block->feed_forward, call);
    attn_mark_part(call, ATTN_PART_OTHER);
    call->ops->layer_norm(x, x, &block->norm_final, call->batch * call->frames, call->config->layer_norm_eps);
}
