/* Running statistics of BatchNorm (Ioffe and Szegedy 2015; momentum as PyTorch has it). */
#include "attn/train.h"

#include "impl/model/model.h"

static void move(float *running, const float *batch, size_t n, float momentum) {
    for (size_t i = 0; i < n; i++)
        running[i] += momentum * (batch[i] - running[i]);
}

void attn_train_update_statistics(attn_model *model, const attn_model *gradient, double momentum) {
    const attn_config *config = &model->config;
    if (!attn_has_batch_norm(config))
        return;
    for (size_t i = 0; i < config->num_layers; i++) {
        attn_norm *norm = &model->blocks[i].convolution.norm;
        const attn_norm *batch = &gradient->blocks[i].convolution.norm;
        move(norm->mean, batch->mean, norm->width, (float)momentum);
        move(norm->variance, batch->variance, norm->width, (float)momentum);
    }
}
