/* Gradients of one batch from files: what `attnbench gradients` does. */
#ifndef HARNESS_MODEL_TRAINING_GRADIENTS_H
#define HARNESS_MODEL_TRAINING_GRADIENTS_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct gradients_request {
    const char *config, *weights, *input, *targets, *out;
    const char *lengths; /* NULL: all frames */
    bool checkpoint_activations, bf16_activations;
} gradients_request;

typedef struct gradients_result {
    double loss, norm; /* norm of the whole gradient */
    size_t utterances, infeasible;
    size_t workspace_bytes;
    char note[640]; /* one line about the configuration or the checkpoint, or "" */
} gradients_result;

/* Writes request->out. A loss or gradient that is not finite is an error, and nothing is written. */
int gradients_run(gradients_result *result, const gradients_request *request, attn_error *error);

#endif
