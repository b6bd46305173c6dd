#include "impl/encoder/encoder.h"

size_t attn_branchformer_floats(const attn_config *config, size_t batch, size_t frames,
                                size_t attention_floats) {
    size_t branch = batch * frames * config->attention.d_model;
    size_t cgmlp = attn_cgmlp_floats(config, frames), merge = attn_merge_floats(config, frames);
    return 2 * branch + attn_larger(branch + attention_floats, attn_larger(cgmlp, merge));
}

bool attn_uses_attention(const attn_config *config) {
    return config->model_type != ATTN_MODEL_BRANCHFORMER || config->merge_method != ATTN_MERGE_FIXED_AVE ||
           config->cgmlp_weight < 1.0;
}

bool attn_uses_cgmlp(const attn_config *config) {
    return config->model_type == ATTN_MODEL_BRANCHFORMER &&
           (config->merge_method != ATTN_MERGE_FIXED_AVE || config->cgmlp_weight > 0.0);
}

void attn_branchformer_block(float *x, const attn_block *block, const attn_block_state *state,
                             const attn_encoder_call *call) {
    size_t rows = call->batch * call->frames, branch = rows * call->config->attention.d_model;
    float *x1 = call->workspace, *x2 = x1 + branch, *rest = x2 + branch;
    if (attn_uses_attention(call->config))
        attn_self_attention(x1, x, block, state->kv, call, rest);
    if (attn_uses_cgmlp(call->config))
        attn_cgmlp_forward(x2, x, &block->cgmlp, state->conv, call, rest);
    attn_merge_add(x, x1, x2, &block->merger, call, rest);
    call->ops->layer_norm(x, x, &block->norm_final, rows, call->config->layer_norm_eps);
}
