#include "harness/conversion/analysis_input.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "base/text/hash.h"
#include "datasets/corpus.h"

#include <string.h>

enum { RANDOM_FRAMES = 256 };

char *analysis_weights_path(const char *config, const char *given, attn_error *error) {
    const char *slash = strrchr(config, '/'), *dot = strrchr(config, '.');
    if (given)
        return attn_strdup(given, error);
    const char *base = slash ? slash + 1 : config;
    size_t length = dot && dot > base ? (size_t)(dot - config) : strlen(config);
    return attn_format(error, "%.*s.safetensors", (int)length, config);
}

int analysis_load(attn_model **model, attn_config *config, const char *path, const char *given,
                  const analysis *s, attn_error *error) {
    char note[256];
    char *weights = NULL;
    *model = NULL;
    int result = -1;
    if (!attn_config_read(config, path, note, error) &&
        (weights = analysis_weights_path(path, given, error)) && !attn_model_create(model, config, error) &&
        !attn_model_load(*model, weights, error)) {
        if (*attn_model_load_note(*model))
            s->note(attn_model_load_note(*model));
        if (note[0])
            s->note(note);
        result = 0;
    }
    attn_free(weights);
    return result;
}

int analysis_make_features(calibration *c, const attn_config *config, size_t frames, uint64_t seed,
                           attn_error *error) {
    size_t in = attn_input_frames(config, frames);
    uint64_t state = seed + 1; /* not the weights' numbers */
    *c = (calibration){0};
    c->x = attn_alloc(in, config->input_dim * sizeof(float), "random features", error);
    if (!c->x)
        return -1;
    attn_random_uniform(c->x, in * config->input_dim, 1, &state);
    c->at = (attn_calibration){.x = c->x, .batch = 1, .frames = in};
    c->frames = frames;
    return 0;
}

int analysis_features(calibration *c, const analysis *s, const attn_config *config, attn_error *error) {
    const calibration_source source = {"--input", s->input, s->data, s->split, s->max_frames};
    if (!s->input && !s->data && !s->split)
        return analysis_make_features(c, config, RANDOM_FRAMES, s->seed, error);
    if (s->data && *attn_speech_note(config))
        s->note(attn_speech_note(config));
    return calibration_read(c, &source, config, error);
}

char *analysis_features_text(const analysis *s, const calibration *c, attn_error *error) {
    const char *file = s->input && strrchr(s->input, '/') ? strrchr(s->input, '/') + 1 : s->input;
    if (s->data)
        return attn_format(error, "speech, split %s, %zu utterances, %zu frames", s->split ? s->split : "",
                           c->at.batch, c->frames);
    return file ? attn_format(error, "%s, %zu frames", file, c->frames)
                : attn_format(error, "%zu frames of random features", c->frames);
}

static int hash_speech(uint64_t *hash, const analysis *s, attn_error *error) {
    corpus speech = {0};
    int result = corpus_read(&speech, s->data, s->split, error);
    if (!result)
        result = corpus_hash_state(hash, &speech, speech.count, error);
    corpus_free(&speech);
    return result;
}

int analysis_hash_files(uint64_t *hash, const analysis *s, attn_error *error) {
    if (s->mha) {
        char *weights = analysis_weights_path(s->mha, s->mha_weights, error);
        int failed =
            !weights || hash_file_state(hash, s->mha, error) || hash_file_state(hash, weights, error);
        attn_free(weights);
        if (failed)
            return -1;
    }
    return (s->input && hash_file_state(hash, s->input, error)) || (s->data && hash_speech(hash, s, error))
               ? -1
               : 0;
}

char *analysis_subject(const char *path, const attn_config *config, attn_error *error) {
    const char *slash = strrchr(path, '/');
    return attn_format(error, "%s (%s, %zu layers, d_model %zu, %zu heads)", slash ? slash + 1 : path,
                       attn_model_type_names[config->model_type], config->num_layers,
                       config->attention.d_model, config->attention.num_heads);
}
