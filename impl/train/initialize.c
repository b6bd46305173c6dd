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

/* Most frames of speech are blank. A model whose output layer does not begin with that learns it in all layers at once:
 * every frame gets the same constant from the input layer on, and after the normalisations that follow, the differences
 * between frames are small. */
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
