#include "impl/encoder/encoder.h"

static float *attended_layout(attn_arena *arena, const attn_encoder_call *call) {
    return attn_arena_floats(arena, call->batch * call->frames, call->config->attention.d_model);
}

size_t attn_conformer_peak(const attn_encoder_call *call, attn_arena arena) {
    size_t others = attn_larger(attn_feed_forward_peak(call, arena), attn_convolution_peak(call, arena));
    attended_layout(&arena, call);
    return attn_larger(others, attn_self_attention_peak(call, arena));
}

/* x + Attn(LayerNorm x) */
static void attention_add(float *x, const attn_block *block, attn_cache *kv, const attn_encoder_call *call,
                          attn_arena arena) {
    float *attended = attended_layout(&arena, call);
    attn_self_attention(attended, x, block, kv, call, arena);
    call->ops->add_scaled(x, attended, call->batch * call->frames * call->config->attention.d_model, 1.0f);
}

void attn_conformer_block(float *x, const attn_block *block, const attn_block_state *state,
                          const attn_encoder_call *call, attn_arena arena) {
    bool macaron = !call->config->one_feed_forward;
    if (macaron)
        attn_feed_forward_add(x, 0.5f, &block->feed_forward_macaron, call, arena);
    attention_add(x, block, state->kv, call, arena);
    attn_convolution_add(x, &block->convolution, state, call, arena);
    attn_feed_forward_add(x, macaron ? 0.5f : 1.0f, &block->feed_forward, call, arena);
    attn_mark_part(call, ATTN_PART_OTHER);
    call->ops->layer_norm(x, x, &block->norm_final, call->batch * call->frames, call->config->layer_norm_eps);
}
