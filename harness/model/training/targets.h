/* Token numbers of utterances, as a JSON file has them: a list of lists, one an utterance. */
#ifndef HARNESS_MODEL_TRAINING_TARGETS_H
#define HARNESS_MODEL_TRAINING_TARGETS_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct targets {
    int32_t *labels; /* one after the other */
    size_t *counts;  /* [count] */
    size_t count;
} targets;

/* Reads as many lists as there are utterances; every number is 1 .. vocab_size - 1 (0 is the blank). Free with
 * targets_free, after a failure too. */
int targets_read(targets *t, const char *path, size_t utterances, size_t vocab_size, attn_error *error);
void targets_free(targets *t);

#endif
