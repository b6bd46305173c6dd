#include "impl/encoder/structure.h"

bool attn_uses_attention(const attn_config *config) {
    return config->model_type != ATTN_MODEL_BRANCHFORMER || config->merge_method != ATTN_MERGE_FIXED_AVE ||
           config->cgmlp_weight < 1.0;
}

bool attn_uses_cgmlp(const attn_config *config) {
    return config->model_type == ATTN_MODEL_BRANCHFORMER &&
           (config->merge_method != ATTN_MERGE_FIXED_AVE || config->cgmlp_weight > 0.0);
}

bool attn_has_batch_norm(const attn_config *config) {
    return config->model_type == ATTN_MODEL_CONFORMER && config->conv_norm == ATTN_NORM_BATCH;
}

bool attn_scales_input(const attn_config *config) {
    return config->model_type != ATTN_MODEL_ATTENTION && config->attention.pos_enc != ATTN_POS_NONE;
}
