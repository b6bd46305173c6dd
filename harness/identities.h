/* What must always hold (every implementation equals its scalar reference, and the identities of attention),
 * on random geometries. Behind `attnbench verify` and the tests. */
#ifndef HARNESS_IDENTITIES_H
#define HARNESS_IDENTITIES_H

#include "attn/attention.h"
#include "attn/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct identity_result {
    const char *identity; /* in words */
    const char *variant;
    size_t comparisons;
    double worst; /* largest |a - b| / (1 + |b|); NaN when anything was NaN */
    double limit;
    bool ok;
    char where[256]; /* the first setting that failed; "" when ok */
} identity_result;

typedef void identity_sink(void *context, const identity_result *result);

/* Runs every identity on `draws` random settings for each variant it speaks of; the same seed gives the same
 * draws. Each result goes to `sink`. Returns -1 only when memory is refused. */
int identities_run(uint64_t seed, size_t draws, identity_sink *sink, void *context, attn_error *error);

#endif
