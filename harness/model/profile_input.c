#include "harness/model/profile_input.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "base/clock.h"
#include "datasets/audio.h"

#include <stdio.h>

static int read_random(profile_input *in, const profile_plan *plan, const attn_config *config,
                       attn_error *error) {
    uint64_t state = plan->seed + 1; /* not the weights' numbers */
    size_t floats;
    in->frames = plan->seq_len;
    in->audio_seconds = PROFILE_FRAME_SECONDS * (double)plan->seq_len;
    snprintf(in->id, sizeof in->id, "random-%zu", plan->seq_len);
    if (attn_multiply(&floats, plan->seq_len, config->input_dim))
        return attn_fail(error, "--seq-len %zu: too long", plan->seq_len);
    in->features = attn_alloc(floats, sizeof *in->features, "random features", error);
    if (!in->features)
        return -1;
    attn_random_uniform(in->features, floats, 1, &state);
    return 0;
}

static int read_speech(profile_input *in, const corpus_utterance *utterance, fbank *extractor,
                       attn_error *error) {
    size_t samples;
    double start = clock_now();
    snprintf(in->id, sizeof in->id, "%s", utterance->id);
    if (fbank_read(extractor, &in->features, &in->frames, &samples, utterance->path, error))
        return -1;
    in->feature_seconds = clock_now() - start;
    in->audio_seconds = (double)samples / AUDIO_RATE;
    return 0;
}

int profile_input_read(profile_input *in, const profile_plan *plan, const attn_config *config, size_t index,
                       fbank *extractor, attn_error *error) {
    *in = (profile_input){0};
    const corpus_utterance *utterance = plan->speech ? &plan->speech->utterances[index] : NULL;
    if (utterance ? read_speech(in, utterance, extractor, error) : read_random(in, plan, config, error))
        return -1;
    if (attn_output_frames(config, in->frames))
        return 0;
    attn_free(in->features);
    in->features = NULL;
    return attn_fail(error, "%s: %zu frames are too few for the model's input layer",
                     utterance ? utterance->path : "--seq-len", in->frames);
}
