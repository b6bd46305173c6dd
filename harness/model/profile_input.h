/* What profile-kv feeds a model: an utterance's features, or random ones. */
#ifndef HARNESS_MODEL_PROFILE_INPUT_H
#define HARNESS_MODEL_PROFILE_INPUT_H

#include "harness/model/profile_plan.h"

#include "datasets/fbank.h"

typedef struct profile_input {
    char id[160];
    float *features; /* [frames, input_dim]; attn_free it */
    size_t frames;
    double audio_seconds;   /* random features: 10 ms a frame */
    double feature_seconds; /* spent on reading and computing them; 0 for random ones */
} profile_input;

/* Utterance `index` of the plan. `extractor` is not needed for random features. */
int profile_input_read(profile_input *in, const profile_plan *plan, const attn_config *config, size_t index,
                       fbank *extractor, attn_error *error);

#endif
