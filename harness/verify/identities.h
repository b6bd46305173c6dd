/* What must always hold (every implementation equals its scalar reference, and the identities of attention
 * and of encoders), on random draws. Behind `attnbench verify` and the tests. */
#ifndef HARNESS_VERIFY_IDENTITIES_H
#define HARNESS_VERIFY_IDENTITIES_H

#include "attn/attention.h"
#include "attn/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct identity_result {
    const char *identity; /* in words */
    const char *model;    /* "layer", or the encoder's type */
    const char *variant;
    size_t comparisons;
    /* Layer: largest |a - b| / (1 + |b|), encoder: largest |a - b|; NaN when anything was NaN. */
    double worst;
    double limit;
    bool ok;
    char where[400]; /* the first setting that failed; "" when ok */
} identity_result;

typedef void identity_sink(void *context, const identity_result *result);

/* Runs every identity of one layer on `draws` random settings for each variant it speaks of; the same seed
 * gives the same draws. Each result goes to `sink`. Returns -1 only when memory is refused. */
int identities_run(uint64_t seed, size_t draws, identity_sink *sink, void *context, attn_error *error);

/* The same for whole encoders, for each of both types. */
int encoder_identities_run(uint64_t seed, size_t draws, identity_sink *sink, void *context,
                           attn_error *error);

/* One line of these, counted from 0. Each gets a seed of its own, so that no two draw the same encoders. r->identity is
 * NULL where the line's identity is not about its variant. */
size_t encoder_identity_lines(void);
int encoder_identity_run(size_t line, uint64_t seed, size_t draws, identity_result *r, attn_error *error);

/* A copy of `variant` whose scalar implementation attends, in one call, as a stream of such chunks does. One
 * at a time; it lives as long as the models that get it. */
attn_variant encoder_masked_variant(const attn_variant *variant, size_t chunk, long left_chunks);

#endif
