/* Attention with its pre-norm. */
#include "impl/attention/parts.h"
#include "impl/encoder/encoder.h"

typedef struct attention_buffers {
    float *normed; /* [B, frames, d_model] */
    void *rest;    /* the attention layer's */
} attention_buffers;

static attention_buffers layout(attn_arena *arena, const attn_encoder_call *call) {
    size_t rows = call->batch * call->frames;
    return (attention_buffers){.normed = attn_arena_floats(arena, rows, call->config->attention.d_model),
                               .rest = attn_arena_take(arena, call->attention_bytes, 1)};
}

size_t attn_self_attention_peak(const attn_encoder_call *call, attn_arena arena) {
    layout(&arena, call);
    return arena.peak;
}

void attn_self_attention(float *y, const float *x, const attn_block *block, attn_cache *kv,
                         const attn_encoder_call *call, attn_arena arena) {
    size_t rows = call->batch * call->frames;
    attention_buffers b = layout(&arena, call);
    attn_call attend = call->attend;
    attn_mark_part(call, ATTN_PART_ATTENTION);
    call->ops->layer_norm(b.normed, x, &block->norm_mha, rows, call->config->layer_norm_eps);
    if (call->input)
        call->input(call->input_context, call->layer, b.normed, call->batch, call->frames, call->valid);
    attend.x = b.normed;
    call->attention->forward(y, &block->attention, kv, &attend, b.rest);
    attn_mark_inner(ATTN_INNER_REST);
}
