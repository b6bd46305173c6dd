/* The tensors of the blocks and of the input layer, by the names of ESPnet and WeNet. */
#include "impl/encoder/encoder.h"

static int walk_depthwise(const attn_walk *walk, const char *name, attn_depthwise *w, size_t channels,
                          size_t kernel) {
    w->channels = channels;
    w->kernel = kernel;
    if (attn_walk_tensor(walk, name, "weight", &w->weight, 3, (const size_t[]){channels, 1, kernel}))
        return -1;
    return attn_walk_tensor(walk, name, "bias", &w->bias, 1, &channels);
}

static int walk_feed_forward(const attn_walk *walk, const char *norm, const char *w_1, const char *w_2,
                             attn_feed_forward *w, const attn_config *config) {
    size_t d_model = config->attention.d_model;
    if (attn_walk_layer_norm(walk, norm, &w->norm, d_model) ||
        attn_walk_linear(walk, w_1, &w->w_1, config->ff_units, d_model))
        return -1;
    return attn_walk_linear(walk, w_2, &w->w_2, d_model, config->ff_units);
}

static int walk_convolution(const attn_walk *walk, attn_convolution *w, const attn_config *config) {
    size_t d_model = config->attention.d_model;
    if (attn_walk_layer_norm(walk, "norm_conv", &w->pre_norm, d_model) ||
        attn_walk_pointwise(walk, "conv_module.pointwise_conv1", &w->pointwise_conv1, 2 * d_model, d_model) ||
        walk_depthwise(walk, "conv_module.depthwise_conv", &w->depthwise_conv, d_model,
                       config->conv_kernel_size) ||
        (config->conv_norm == ATTN_NORM_BATCH
             ? attn_walk_batch_norm(walk, "conv_module.norm", &w->norm, d_model)
             : attn_walk_layer_norm(walk, "conv_module.norm", &w->norm, d_model)))
        return -1;
    return attn_walk_pointwise(walk, "conv_module.pointwise_conv2", &w->pointwise_conv2, d_model, d_model);
}

static int walk_conformer(const attn_walk *walk, attn_block *block, const attn_config *config) {
    size_t d_model = config->attention.d_model;
    if ((!config->one_feed_forward &&
         walk_feed_forward(walk, "norm_ff_macaron", "feed_forward_macaron.w_1", "feed_forward_macaron.w_2",
                           &block->feed_forward_macaron, config)) ||
        attn_walk_layer_norm(walk, "norm_mha", &block->norm_mha, d_model) ||
        attn_walk_attention(walk, "self_attn", &block->attention, config->variant) ||
        walk_convolution(walk, &block->convolution, config) ||
        walk_feed_forward(walk, "norm_ff", "feed_forward.w_1", "feed_forward.w_2", &block->feed_forward,
                          config))
        return -1;
    return attn_walk_layer_norm(walk, "norm_final", &block->norm_final, d_model);
}

static int walk_cgmlp(const attn_walk *walk, attn_cgmlp *w, const attn_config *config) {
    size_t d_model = config->attention.d_model, half = config->cgmlp_units / 2;
    if (attn_walk_layer_norm(walk, "norm_mlp", &w->pre_norm, d_model) ||
        attn_walk_linear(walk, "cgmlp.channel_proj1.0", &w->channel_proj1, 2 * half, d_model) ||
        attn_walk_layer_norm(walk, "cgmlp.csgu.norm", &w->norm, half) ||
        walk_depthwise(walk, "cgmlp.csgu.conv", &w->conv, half, config->conv_kernel_size) ||
        (w->has_linear && attn_walk_linear(walk, "cgmlp.csgu.linear", &w->linear, half, half)))
        return -1;
    return attn_walk_linear(walk, "cgmlp.channel_proj2", &w->channel_proj2, d_model, half);
}

static int walk_merger(const attn_walk *walk, attn_merger *w, const attn_config *config) {
    static const char *const pooling[] = {"pooling_proj1", "pooling_proj2"};
    static const char *const weight[] = {"weight_proj1", "weight_proj2"};
    size_t d_model = config->attention.d_model;
    for (size_t i = 0; config->merge_method == ATTN_MERGE_LEARNED_AVE && i < 2; i++)
        if (attn_walk_linear(walk, pooling[i], &w->pooling_proj[i], 1, d_model) ||
            attn_walk_linear(walk, weight[i], &w->weight_proj[i], 1, d_model))
            return -1;
    size_t in = config->merge_method == ATTN_MERGE_CONCAT ? 2 * d_model : d_model;
    return attn_walk_linear(walk, "merge_proj", &w->merge_proj, d_model, in);
}

static int walk_branchformer(const attn_walk *walk, attn_block *block, const attn_config *config) {
    size_t d_model = config->attention.d_model;
    if (attn_uses_attention(config) &&
        (attn_walk_layer_norm(walk, "norm_mha", &block->norm_mha, d_model) ||
         attn_walk_attention(walk, "attn", &block->attention, config->variant)))
        return -1;
    if ((attn_uses_cgmlp(config) && walk_cgmlp(walk, &block->cgmlp, config)) ||
        walk_merger(walk, &block->merger, config))
        return -1;
    return attn_walk_layer_norm(walk, "norm_final", &block->norm_final, d_model);
}

int attn_block_tensors(const attn_walk *walk, attn_block *block, const attn_config *config) {
    switch (config->model_type) {
    case ATTN_MODEL_CONFORMER:
        return walk_conformer(walk, block, config);
    case ATTN_MODEL_BRANCHFORMER:
        return walk_branchformer(walk, block, config);
    default:
        return attn_walk_attention(walk, config->num_layers == 1 ? "" : "self_attn", &block->attention,
                                   config->variant);
    }
}

static int walk_conv2d(const attn_walk *walk, attn_embed *embed, const attn_config *config) {
    static const char *const names[] = {"embed.conv.0", "embed.conv.2"};
    size_t d_model = config->attention.d_model;
    embed->bins[0] = config->input_dim;
    for (size_t i = 0; i < 2; i++) {
        const size_t dims[] = {d_model, i ? d_model : 1, 3, 3};
        if (attn_walk_tensor(walk, names[i], "weight", &embed->conv_weight[i], 4, dims) ||
            attn_walk_tensor(walk, names[i], "bias", &embed->conv_bias[i], 1, &d_model))
            return -1;
        embed->bins[i + 1] = (embed->bins[i] - 1) / 2;
    }
    return attn_walk_linear(walk, "embed.out.0", &embed->out, d_model, d_model * embed->bins[2]);
}

static int walk_cmvn(const attn_walk *walk, attn_embed *embed, const attn_config *config) {
    if (attn_walk_tensor(walk, "global_cmvn", "mean", &embed->cmvn_mean, 1, &config->input_dim))
        return -1;
    return attn_walk_tensor(walk, "global_cmvn", "istd", &embed->cmvn_istd, 1, &config->input_dim);
}

int attn_embed_tensors(const attn_walk *walk, attn_embed *embed, const attn_config *config) {
    if (embed->has_cmvn && walk_cmvn(walk, embed, config))
        return -1;
    switch (config->input_layer) {
    case ATTN_INPUT_CONV2D:
        return walk_conv2d(walk, embed, config);
    case ATTN_INPUT_LINEAR:
        if (attn_walk_linear(walk, "embed.out.0", &embed->out, config->attention.d_model, config->input_dim))
            return -1;
        return embed->has_norm
                   ? attn_walk_layer_norm(walk, "embed.out.1", &embed->norm, config->attention.d_model)
                   : 0;
    default:
        return 0;
    }
}
