/* What a training is asked for. */
#ifndef HARNESS_MODEL_TRAINING_REQUEST_H
#define HARNESS_MODEL_TRAINING_REQUEST_H

#include "attn/convert.h"

#include <stdbool.h>
#include <stdio.h>

/* Of a request that leaves them to the configuration: its num_epochs, or 5. */
static inline size_t training_epochs(const attn_config *config) {
    return config->num_epochs ? config->num_epochs : 5;
}

typedef struct training_request {
    const char *config;       /* YAML */
    const char *data, *split; /* what is learned */
    const char *dev_split;    /* what each epoch is judged on */
    const char *out;          /* RUN/ */
    const char *weights;      /* start from this checkpoint; NULL: from scratch */
    /* mha weights become this type first; NULL: they stay. Other types that have keys and values become the mha
     * that computes the same before that. */
    const attn_variant *convert_to;
    attn_convert_method method; /* of the conversion; activation: on inputs of the training split */
    size_t latent_dim, num_kv_heads;
    const char *units;    /* "char", "word" or a file */
    size_t epochs;        /* 0: training_epochs of the configuration */
    double learning_rate; /* peak; 0: the configuration's, or 3e-3 */
    bool epochs_given;    /* 0 epochs are then meant: RUN/ gets the model as it starts */
    uint64_t seed;
    bool checkpoint_activations, bf16_activations;
    /* A folder for files of features; NULL: RUN/features where they are large, else memory. */
    const char *feature_cache;
    int threads;    /* that share each batch; the bits are those of the number */
    FILE *progress; /* lines for people */
} training_request;

#endif
