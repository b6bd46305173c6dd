/* Attention with its pre-norm. */
#include "impl/encoder/encoder.h"

void attn_self_attention(float *y, const float *x, const attn_block *block, attn_cache *kv,
                         const attn_encoder_call *call, float *workspace) {
    size_t rows = call->batch * call->frames, d_model = call->config->attention.d_model;
    float *normed = workspace, *rest = normed + rows * d_model;
    attn_call attend = call->attend;
    attn_mark_part(call, ATTN_PART_ATTENTION);
    call->ops->layer_norm(normed, x, &block->norm_mha, rows, call->config->layer_norm_eps);
    if (call->input)
        call->input(call->input_context, call->layer, normed, call->batch, call->frames, call->valid);
    attend.x = normed;
    call->attention->forward(y, &block->attention, kv, &attend, rest);
}
