/* One model on speech or on random features: what its KV cache holds, how long it takes, how much memory. */
#ifndef HARNESS_MODEL_PROFILE_H
#define HARNESS_MODEL_PROFILE_H

#include "attn/error.h"
#include "attn/model.h"
#include "datasets/corpus.h"

#include <jansson.h>
#include <stdint.h>

typedef struct profile_plan {
    const corpus *speech;       /* NULL: random features */
    size_t count;               /* utterances to run: the first ones of the corpus; 1 for random features */
    size_t seq_len;             /* random features: frames */
    const char *data, *split;   /* where the corpus is, for the record */
    const char *weights;        /* safetensors; NULL: random */
    uint64_t seed;              /* of random weights and features */
    size_t runs;                /* timed, after one that is not */
    bool sgemm;                 /* measure the machine's sgemm before each timed run */
    attn_session_options model; /* chunk, left_chunks, impl, path; the rest is the utterance's */
} profile_plan;

/* Whether the configuration can take this input: cheap, so that the fifth of five models is not found wanting
 * after an hour. Remarks on it go to stderr. */
int profile_check(const char *config_path, const profile_plan *plan, attn_error *error);

/* Runs everything that was planned. `*result` is the object that profile-kv prints: "utterances", then the
 * sums. Returns a status: STATUS_FAILED with *result when some KV or convolution cache is not as large as its
 * formula says, or with an error instead when the implementation does not agree with the scalar reference. */
int profile_model(json_t **result, const char *config_path, const profile_plan *plan, attn_error *error);

#endif
