/* One model on speech or on random features: what its KV cache holds, how long it takes, how much memory. */
#ifndef HARNESS_MODEL_PROFILE_H
#define HARNESS_MODEL_PROFILE_H

#include "harness/model/profile_plan.h"

#include "attn/error.h"

#include <jansson.h>

/* Whether the configuration can take this input: cheap, so that the fifth of five models is not refused after
 * an hour. Remarks on it go to stderr. */
int profile_check(const char *config_path, const profile_plan *plan, attn_error *error);

/* Runs everything that was planned. `*result` is the object that profile-kv prints: "utterances", then the
 * sums. Returns a status: STATUS_FAILED with *result when some KV or convolution cache is not as large as its
 * formula says, or with an error instead when the implementation does not agree with the scalar reference. */
int profile_model(json_t **result, const char *config_path, const profile_plan *plan, attn_error *error);

#endif
