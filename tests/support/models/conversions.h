/* Small encoders with mha, and their conversion as `attnbench convert` does it: by way of files. What fails ends the test. */
#ifndef TESTS_SUPPORT_MODELS_CONVERSIONS_H
#define TESTS_SUPPORT_MODELS_CONVERSIONS_H

#include "attn/convert.h"
#include "attn/model.h"

#include <stdbool.h>
#include <stdint.h>

enum { D = 24, LAYERS = 12, FRAMES = 90, BINS = 13 };

attn_config mha_config(attn_model_type type, attn_pos_enc pos_enc, size_t layers);

/* Ill: singular values of the stacked key and value weights over twelve decades. attn_model_free it. */
attn_model *mha_encoder(attn_model_type type, attn_pos_enc pos_enc, size_t layers, bool ill, uint64_t *seed);

/* One utterance of `frames` frames x [frames, BINS]; NULL: no calibration. `size`: latent_dim, or num_kv_heads. */
attn_convert_options options_for(const char *type, attn_convert_method method, size_t size, const float *x,
                                 size_t frames);

/* Converts a copy of the model, saves it, and loads what was written: attn_model_free it, and attn_conversion_free what
 * was made. */
attn_model *converted(attn_model *model, const attn_convert_options *options, attn_conversion *made);

#endif
