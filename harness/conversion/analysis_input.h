/* What an analysis works on: models from files, and features from files, a corpus or a generator. */
#ifndef HARNESS_CONVERSION_ANALYSIS_INPUT_H
#define HARNESS_CONVERSION_ANALYSIS_INPUT_H

#include "attn/model.h"
#include "harness/conversion/calibration.h"
#include "harness/run/steps.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct analysis {
    const char *mha, *mha_weights; /* configuration and checkpoint; NULL weights: next to the configuration */
    const char *other, *other_weights; /* of what stands in for it */
    const char *input;                 /* features X.npy, or */
    const char *data, *split;          /* a corpus, or none of both: random features */
    size_t max_frames;                 /* of the corpus, after the input layer */
    size_t seq_len;                    /* frames that cache bytes are for, and keys when decoding */
    size_t runs;                       /* of each decode time */
    uint64_t seed;                     /* of random weights and features */
    bool spectrum;
    step_journal *steps;            /* of a sweep; NULL: nothing is kept */
    void (*note)(const char *text); /* gets what loading a model has to say */
} analysis;

/* What was given, or the configuration's name with .safetensors for its ending; attn_free it. */
char *analysis_weights_path(const char *config, const char *given, attn_error *error);

int analysis_load(attn_model **model, attn_config *config, const char *path, const char *weights,
                  const analysis *s, attn_error *error);

/* Random features: as many as leave `frames` after the input layer. */
int analysis_make_features(calibration *c, const attn_config *config, size_t frames, uint64_t seed,
                           attn_error *error);

/* The features that the analysis names. */
int analysis_features(calibration *c, const analysis *s, const attn_config *config, attn_error *error);

/* Continues `hash` over the state of the files that it reads (base/text/hash.h). */
int analysis_hash_files(uint64_t *hash, const analysis *s, attn_error *error);

/* What they are, in words: attn_free it. */
char *analysis_features_text(const analysis *s, const calibration *c, attn_error *error);

/* "model.yaml (conformer, 3 layers, d_model 32, 4 heads)"; attn_free it. */
char *analysis_subject(const char *path, const attn_config *config, attn_error *error);

#endif
