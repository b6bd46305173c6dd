/* What of a block's weights is computed once. */
#include "impl/encoder/encoder.h"

#include <math.h>

static const attn_depthwise *depthwise_of(const attn_block *block, const attn_config *config) {
    return config->model_type == ATTN_MODEL_CONFORMER ? &block->convolution.depthwise_conv
                                                      : &block->cgmlp.conv;
}

static bool has_depthwise(const attn_config *config) {
    return config->model_type == ATTN_MODEL_CONFORMER || attn_uses_cgmlp(config);
}

attn_packed_block attn_block_pack_layout(attn_arena *arena, const attn_config *config) {
    attn_packed_block packed = {0};
    if (has_depthwise(config))
        packed.taps = attn_arena_floats(arena, config->conv_kernel_size, attn_conv_cache_width(config));
    if (attn_has_batch_norm(config)) {
        packed.scale = attn_arena_floats(arena, 1, config->attention.d_model);
        packed.shift = attn_arena_floats(arena, 1, config->attention.d_model);
    }
    return packed;
}

static void transpose_taps(float *taps, const attn_depthwise *w) {
    for (size_t c = 0; c < w->channels; c++)
        for (size_t j = 0; j < w->kernel; j++)
            taps[j * w->channels + c] = w->weight[c * w->kernel + j];
}

static void fold_batch_norm(attn_packed_block *packed, const attn_norm *norm) {
    for (size_t c = 0; c < norm->width; c++) {
        double scale = norm->weight[c] / sqrt(norm->variance[c] + ATTN_BATCH_NORM_EPS);
        packed->scale[c] = (float)scale;
        packed->shift[c] = (float)(norm->bias[c] - norm->mean[c] * scale);
    }
}

void attn_block_pack(attn_packed_block *packed, const attn_block *block, const attn_config *config) {
    if (has_depthwise(config))
        transpose_taps(packed->taps, depthwise_of(block, config));
    if (attn_has_batch_norm(config))
        fold_batch_norm(packed, &block->convolution.norm);
}
