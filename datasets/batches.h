/* Batches of utterances of about the same length, so that little is padding. */
#ifndef DATASETS_BATCHES_H
#define DATASETS_BATCHES_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct batches {
    size_t *utterances; /* batch b is utterances[start[b]] .. utterances[start[b + 1] - 1] */
    size_t *start;      /* [count + 1] */
    size_t count;
} batches;

typedef struct batch_limits {
    size_t frames;     /* most of a batch, padding included; a longer utterance is a batch alone */
    size_t utterances; /* most of a batch; 0: no limit */
} batch_limits;

/* Every utterance once, by length. `shuffle` gives the order of the batches, and utterances of neighbouring lengths
 * change places, as the seed says: the same seed, the same batches, on every machine. How many batches there are
 * does not depend on the seed by more than those few changes. Free with batches_free. */
int batches_make(batches *b, const size_t *lengths, size_t count, const batch_limits *limits, int shuffle,
                 uint64_t seed, attn_error *error);
void batches_free(batches *b);

#endif
