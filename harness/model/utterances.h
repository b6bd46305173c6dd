/* Utterances side by side, as --input and --lengths give them. */
#ifndef HARNESS_MODEL_UTTERANCES_H
#define HARNESS_MODEL_UTTERANCES_H

#include "attn/config.h"
#include "attn/error.h"
#include "attn/npy.h"

typedef struct utterance_batch {
    attn_array input; /* [count, frames, input_dim], or [frames, input_dim] for one */
    size_t count, frames;
    size_t *lengths; /* [count] valid input frames; NULL: all */
} utterance_batch;

/* Reads features and checks them against the model: axes, input_dim, frames left after the input layer, and
 * that valid frames are finite (padding may hold anything). lengths is "a,b,c" or NULL. Free with
 * utterances_free, after a failure too. */
int utterances_read(utterance_batch *u, const char *path, const char *lengths, const attn_config *config,
                    attn_error *error);
void utterances_free(utterance_batch *u);

#endif
