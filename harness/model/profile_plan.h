/* What profile-kv is asked to run. */
#ifndef HARNESS_MODEL_PROFILE_PLAN_H
#define HARNESS_MODEL_PROFILE_PLAN_H

#include "attn/model.h"
#include "datasets/corpus.h"
#include "harness/run/steps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROFILE_FRAME_SECONDS 0.01 /* between two input frames */

typedef struct profile_plan {
    const corpus *speech;       /* NULL: random features */
    size_t count;               /* utterances to run: the first ones of the corpus; 1 for random features */
    size_t seq_len;             /* random features: frames */
    const char *data, *split;   /* where the corpus is, for the record */
    const char *weights;        /* safetensors; NULL: random */
    uint64_t seed;              /* of random weights and features */
    size_t threads;             /* each model's own; 0 is 1 */
    size_t runs;                /* timed, after one that is not */
    const char *kv_dtype;       /* of --kv-dtype; NULL: the configuration's */
    bool sgemm;                 /* measure the machine's sgemm before each timed run */
    step_journal *steps;        /* keeps what is measured; NULL: nothing does */
    size_t model_number;        /* among those that share the journal */
    attn_session_options model; /* chunk, left_chunks, impl, path; the rest is the utterance's */
} profile_plan;

#endif
