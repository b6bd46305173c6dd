#include "harness/verify/encoder_draw.h"

#include "attn/random.h"

#include <stdio.h>

static size_t below(uint64_t *random, size_t bound) {
    return attn_random_below(random, bound);
}

int encoder_draw(attn_config *config, attn_model_type model_type, const attn_variant *variant,
                 uint64_t *random, attn_error *error) {
    static const size_t widths[] = {4, 8, 10}, heads[] = {1, 2, 4}, kernels[] = {1, 3, 7, 15, 31};
    *config = (attn_config){.model_type = model_type,
                            .variant = variant,
                            .num_layers = 1 + below(random, 2),
                            .conv_kernel_size = kernels[below(random, 5)],
                            .ff_units = 5 + below(random, 60),
                            .cgmlp_units = 2 * (1 + below(random, 70)),
                            .cgmlp_weight = (double)below(random, 5) / 4,
                            .merge_method = (attn_merge)below(random, 3),
                            .input_layer = (attn_input_layer)below(random, 3),
                            .conv_norm = (attn_conv_norm)below(random, 2),
                            .causal = below(random, 2),
                            .after_norm = below(random, 4) > 0,
                            .layer_norm_eps = 1e-5};
    config->one_feed_forward = config->ff_units % 4 == 0;
    config->conv_kernel_size += config->causal && below(random, 2); /* even ones are causal */
    attn_geometry *g = &config->attention;
    g->num_heads = heads[below(random, 3)];
    g->d_model = g->num_heads * widths[below(random, 3)];
    g->num_kv_heads = g->num_heads >> below(random, 3);
    g->num_kv_heads = g->num_kv_heads ? g->num_kv_heads : 1;
    g->latent_dim = 3 + below(random, 20);
    g->pos_enc = (attn_pos_enc)below(random, variant->is_softmax ? 4 : 2);
    config->input_dim = 7 + below(random, 10);
    if (config->input_layer == ATTN_INPUT_NONE)
        config->input_dim = g->d_model;
    return attn_geometry_complete(g, variant, NULL, error);
}

static int disturb(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    if (tensor->rank > 1)
        return 0;
    float *data = *tensor->data + tensor->offset, noise;
    for (size_t i = 0; i < tensor->dims[0]; i++) {
        attn_random_uniform(&noise, 1, 0.4f, context);
        data[i] += noise;
    }
    return 0;
}

int encoder_draw_model(attn_model **model, const attn_config *config, uint64_t seed, attn_error *error) {
    if (attn_model_create(model, config, error))
        return -1;
    attn_model_randomize(*model, seed);
    return attn_model_tensors(*model, disturb, &seed, error);
}

void encoder_draw_text(char text[256], const attn_config *c) {
    snprintf(text, 256,
             "d_model %zu, heads %zu, kv heads %zu, latent_dim %zu, layers %zu, %s, input %s of %zu, kernel "
             "%zu%s, "
             "%s, %s %g",
             c->attention.d_model, c->attention.num_heads, c->attention.num_kv_heads, c->attention.latent_dim,
             c->num_layers, attn_pos_enc_names[c->attention.pos_enc], attn_input_layer_names[c->input_layer],
             c->input_dim, c->conv_kernel_size, c->causal ? " causal" : "",
             attn_conv_norm_names[c->conv_norm], attn_merge_names[c->merge_method], c->cgmlp_weight);
}
