/* What a study works on: models from files, and features from files, a corpus or a generator. */
#ifndef HARNESS_CONVERSION_STUDY_INPUT_H
#define HARNESS_CONVERSION_STUDY_INPUT_H

#include "attn/model.h"
#include "harness/conversion/calibration.h"
#include "harness/conversion/study.h"

/* What was given, or the configuration's name with .safetensors for its ending; attn_free it. */
char *study_weights_path(const char *config, const char *given, attn_error *error);

int study_load(attn_model **model, attn_config *config, const char *path, const char *weights, const study *s,
               attn_error *error);

/* Random features: as many as leave `frames` after the input layer. */
int study_make_features(calibration *c, const attn_config *config, size_t frames, uint64_t seed,
                        attn_error *error);

/* The features that the study names. */
int study_features(calibration *c, const study *s, const attn_config *config, attn_error *error);

/* What they are, in words: attn_free it. */
char *study_features_text(const study *s, const calibration *c, attn_error *error);

#endif
