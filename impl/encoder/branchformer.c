#include "impl/encoder/encoder.h"

typedef struct branch_buffers {
    float *x1, *x2; /* [B, frames, d_model] */
} branch_buffers;

static branch_buffers layout(attn_arena *arena, const attn_encoder_call *call) {
    size_t rows = call->batch * call->frames, d_model = call->config->attention.d_model;
    return (branch_buffers){.x1 = attn_arena_floats(arena, rows, d_model),
                            .x2 = attn_arena_floats(arena, rows, d_model)};
}

size_t attn_branchformer_peak(const attn_encoder_call *call, attn_arena arena) {
    layout(&arena, call);
    size_t branches = attn_larger(attn_self_attention_peak(call, arena), attn_cgmlp_peak(call, arena));
    return attn_larger(branches, attn_merge_peak(call, arena));
}

void attn_branchformer_block(float *x, const attn_block *block, const attn_block_state *state,
                             const attn_encoder_call *call, attn_arena arena) {
    branch_buffers b = layout(&arena, call);
    if (attn_uses_attention(call->config))
        attn_self_attention(b.x1, x, block, state->kv, call, arena);
    if (attn_uses_cgmlp(call->config))
        attn_cgmlp_forward(b.x2, x, &block->cgmlp, state, call, arena);
    attn_merge_add(x, b.x1, b.x2, &block->merger, call, arena);
    call->ops->layer_norm(x, x, &block->norm_final, call->batch * call->frames, call->config->layer_norm_eps);
}
