/* Models and batches of tests/golden/train (tests/golden/README.md); every failure ends the test. */
#ifndef TESTS_SUPPORT_MODELS_TRAINING_H
#define TESTS_SUPPORT_MODELS_TRAINING_H

#include "attn/safetensors.h"
#include "attn/train.h"

#include <jansson.h>

enum { TRAINING_UTTERANCES = 8, TRAINING_LABELS = 64 };

/* Uniform in [-1, 1) from the name: splitmix64 seeded by its FNV-1a hash. */
void training_draw(float *out, size_t count, const char *name);

/* A model with the weights that its tensors' names give. */
attn_model *training_model(const char *yaml, bool embed_norm, bool csgu_linear);

/* A batch whose arrays are its own: it points into itself, so it stays where it is. x is drawn from `features`, valid frames and padding alike. */
typedef struct training_batch {
    attn_train_batch batch;
    size_t lengths[TRAINING_UTTERANCES], label_counts[TRAINING_UTTERANCES];
    int32_t labels[TRAINING_LABELS];
    float *x; /* attn_free it */
} training_batch;
void training_batch_read(training_batch *b, const json_t *lengths, const json_t *targets, size_t input_dim,
                         const char *features);
/* The utterance u of b alone: shares x. */
training_batch training_batch_one(const training_batch *b, size_t u, size_t input_dim);

/* Clears the gradient, runs, and checks that the workspace that attn_train_bytes gives was enough. */
attn_train_result training_pass(attn_model *gradient, const attn_model *model, const attn_train_batch *batch,
                                const attn_train_options *options);

#endif
