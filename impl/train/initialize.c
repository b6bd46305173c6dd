#include "attn/train.h"

#include "impl/model/model.h"

#include <math.h>
#include <string.h>

static const float closeness = 1e-4f; /* of CSGU's convolutions to 0 */
static const double blank_prior = 0.8;

static void open_gate(attn_depthwise *conv) {
    for (size_t j = 0; j < conv->channels * conv->kernel; j++)
        conv->weight[j] *= closeness;
    for (size_t c = 0; c < conv->channels; c++)
        conv->bias[c] = 1;
}

/* Most frames of speech are blank. What does not know that from its first step learns it through all layers at once: the
 * same for every frame, it becomes a constant in what the input layer gives, and the normalisations behind it leave little
 * of what tells frames apart. */
static void expect_blank(attn_linear *output) {
    memset(output->bias, 0, output->out * sizeof *output->bias);
    output->bias[0] = (float)log(blank_prior / (1 - blank_prior) * (double)(output->out - 1));
}

void attn_model_initialize(attn_model *model, uint64_t seed) {
    const attn_config *c = &model->config;
    attn_model_randomize(model, seed);
    for (size_t i = 0; attn_uses_cgmlp(c) && i < c->num_layers; i++)
        open_gate(&model->blocks[i].cgmlp.conv);
    if (c->vocab_size > 1)
        expect_blank(&model->ctc);
}
