#include "tests/support/models/conversions.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/encoders.h"
#include "tests/support/scratch.h"
#include "tests/support/spectra.h"

#include <math.h>
#include <string.h>

enum { HEADS = 4 };

attn_config mha_config(attn_model_type type, attn_pos_enc pos_enc, size_t layers) {
    attn_config config = {.model_type = type,
                          .variant = attn_variant_find("mha"),
                          .attention = {.d_model = D, .num_heads = HEADS, .pos_enc = pos_enc},
                          .num_layers = layers,
                          .input_dim = BINS,
                          .vocab_size = 5,
                          .conv_kernel_size = 5,
                          .ff_units = 2 * D,
                          .cgmlp_units = 2 * D,
                          .merge_method = ATTN_MERGE_CONCAT,
                          .input_layer = ATTN_INPUT_LINEAR,
                          .conv_norm = ATTN_NORM_BATCH,
                          .causal = true,
                          .after_norm = true,
                          .layer_norm_eps = 1e-5};
    return config;
}

attn_model *mha_encoder(attn_model_type type, attn_pos_enc pos_enc, size_t layers, bool ill, uint64_t *seed) {
    attn_config config = mha_config(type, pos_enc, layers);
    attn_model *model = make_model(&config, (*seed)++);
    double sigma[D];
    float stacked[2 * D * D];
    for (size_t r = 0; r < D; r++)
        sigma[r] = 3.0 * pow(10.0, -12.0 * (double)r / (D - 1));
    for (size_t i = 0; ill && i < layers; i++) {
        attn_layer *layer = attn_model_attention(model, i);
        spectra_matrix(stacked, 2 * D, D, sigma, seed);
        memcpy(layer->k_proj.weight, stacked, sizeof stacked / 2);
        memcpy(layer->v_proj.weight, stacked + D * D, sizeof stacked / 2);
    }
    return model;
}

attn_convert_options options_for(const char *type, attn_convert_method method, size_t size, const float *x,
                                 size_t frames) {
    return (attn_convert_options){.target = {attn_variant_find(type), method, size, size, false},
                                  .calibration = {.x = x, .batch = 1, .frames = frames}};
}

attn_model *converted(attn_model *model, const attn_convert_options *options, attn_conversion *made) {
    attn_error error = {0};
    attn_config config = *attn_model_config(model);
    const char *before = scratch_path("before.safetensors"), *after = scratch_path("after.safetensors");
    attn_model *copy, *loaded;
    if (attn_model_save(model, before, &error) || attn_model_create(&copy, &config, &error) ||
        attn_model_load(copy, before, &error) || attn_convert_model(made, copy, options, &error) ||
        attn_conversion_save(made, &config, before, after, &error))
        fail_msg("%s", error.message);
    char *text = attn_config_format(&made->config, &error);
    attn_config read;
    if (attn_config_parse(&read, text, strlen(text), "converted", NULL, &error) ||
        attn_model_create(&loaded, &read, &error) || attn_model_load(loaded, after, &error))
        fail_msg("%s", error.message);
    attn_free(text);
    attn_model_free(copy);
    return loaded;
}
