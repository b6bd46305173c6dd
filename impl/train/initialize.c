#include "attn/train.h"

#include "impl/model/model.h"

static const float closeness = 1e-4f; /* of CSGU's convolutions to 0 */

void attn_model_initialize(attn_model *model, uint64_t seed) {
    attn_model_randomize(model, seed);
    for (size_t i = 0; attn_uses_cgmlp(&model->config) && i < model->config.num_layers; i++) {
        attn_depthwise *conv = &model->blocks[i].cgmlp.conv;
        for (size_t j = 0; j < conv->channels * conv->kernel; j++)
            conv->weight[j] *= closeness;
        for (size_t c = 0; c < conv->channels; c++)
            conv->bias[c] = 1;
    }
}
