#include "attn/train.h"

#include "impl/model/model.h"

#include <math.h>

static const float closeness = 1e-4f; /* of CSGU's convolutions to 0 */

static void open_gate(attn_depthwise *conv) {
    for (size_t j = 0; j < conv->channels * conv->kernel; j++)
        conv->weight[j] *= closeness;
    for (size_t c = 0; c < conv->channels; c++)
        conv->bias[c] = 1;
}

static void scale(attn_linear *linear, float factor) {
    for (size_t i = 0; i < linear->out * linear->in; i++)
        linear->weight[i] *= factor;
}

/* The last matrix of each branch, before what it gives is added to the block's input. */
static void calm_branches(attn_block *b, attn_model_type type, float factor) {
    if (type == ATTN_MODEL_BRANCHFORMER) {
        scale(&b->merger.merge_proj, factor);
        return;
    }
    scale(&b->feed_forward_macaron.w_2, factor);
    scale(&b->attention.out_proj, factor);
    scale(&b->convolution.pointwise_conv2, factor);
    scale(&b->feed_forward.w_2, factor);
}

void attn_model_initialize(attn_model *model, uint64_t seed) {
    const attn_config *c = &model->config;
    attn_model_randomize(model, seed);
    for (size_t i = 0; attn_uses_cgmlp(c) && i < c->num_layers; i++)
        open_gate(&model->blocks[i].cgmlp.conv);
    for (size_t i = 0; c->model_type != ATTN_MODEL_ATTENTION && i < c->num_layers; i++)
        calm_branches(&model->blocks[i], c->model_type, 1 / sqrtf(2 * (float)c->num_layers));
}
