#include "impl/encoder/branches.h"

bool attn_uses_attention(const attn_config *config) {
    return config->model_type != ATTN_MODEL_BRANCHFORMER || config->merge_method != ATTN_MERGE_FIXED_AVE ||
           config->cgmlp_weight < 1.0;
}

bool attn_uses_cgmlp(const attn_config *config) {
    return config->model_type == ATTN_MODEL_BRANCHFORMER &&
           (config->merge_method != ATTN_MERGE_FIXED_AVE || config->cgmlp_weight > 0.0);
}
