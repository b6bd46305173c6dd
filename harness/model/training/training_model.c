#include "harness/model/training/training_model.h"

#include "attn/train.h"
#include "datasets/fbank.h"
#include "harness/conversion/calibration.h"

#include <string.h>

enum { CALIBRATION_FRAMES = 4096 };

/* Weights to begin with, as they are. */
static int first_weights(attn_model *model, const training_request *r, const speech *s, attn_error *error) {
    float mean[FBANK_BINS], inverse_deviation[FBANK_BINS];
    if (r->weights)
        return attn_model_load(model, r->weights, error);
    speech_moments(s, mean, inverse_deviation);
    attn_model_initialize(model, r->seed);
    return attn_model_set_cmvn(model, mean, inverse_deviation, error);
}

/* *model becomes what the conversion made of it. */
static int take(attn_model **model, attn_config *config, const attn_conversion *made, attn_error *error) {
    attn_model *converted;
    if (attn_conversion_apply(&converted, made, *model, error))
        return -1;
    *config = made->config;
    attn_model_free(*model);
    *model = converted;
    return 0;
}

static int fold(attn_model **model, attn_config *config, attn_error *error) {
    attn_conversion made = {0};
    if (!strcmp(config->variant->name, "mha"))
        return 0;
    int failed = attn_fold_model(&made, *model, error) || take(model, config, &made, error);
    attn_conversion_free(&made);
    return failed ? -1 : 0;
}

static int convert(attn_model **model, attn_config *config, const training_request *r, attn_error *error) {
    calibration data = {0};
    calibration_source source = {.data = r->data, .split = r->split, .max_frames = CALIBRATION_FRAMES};
    attn_conversion made = {0};
    attn_convert_options options = {.target = {.variant = r->convert_to,
                                               .method = r->method,
                                               .latent_dim = r->latent_dim,
                                               .num_kv_heads = r->num_kv_heads}};
    bool looks = r->method == ATTN_CONVERT_ACTIVATION;
    int failed = fold(model, config, error) || attn_convert_options_check(&options, config, error) ||
                 (looks && calibration_read(&data, &source, config, error));
    options.calibration = data.at;
    if (!failed)
        failed = attn_convert_model(&made, *model, &options, error) || take(model, config, &made, error);
    attn_conversion_free(&made);
    calibration_free(&data);
    return failed ? -1 : 0;
}

int training_model_make(attn_model **model, attn_config *config, const training_request *request,
                        const speech *s, attn_error *error) {
    if (attn_model_create(model, config, error))
        return -1;
    if (!first_weights(*model, request, s, error) &&
        (!request->convert_to || !convert(model, config, request, error)))
        return 0;
    attn_model_free(*model);
    *model = NULL;
    return -1;
}
