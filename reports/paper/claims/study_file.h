/* What study.json (docs/study.md) says, by model and as one flat object a run. */
#ifndef REPORTS_PAPER_CLAIMS_STUDY_FILE_H
#define REPORTS_PAPER_CLAIMS_STUDY_FILE_H

#include "attn/error.h"

#include <jansson.h>

/* [{model, size, runs: [{attention_type, origin, d_model, latent_dim, epochs, seed, errors, words, loss,
 * seconds_per_epoch}]}]: finished runs on all of the training split. Errors and words are summed over the test splits
 * (whole utterances; without dev, unless it is the only test), the loss is the mean of theirs. `size` says what model and
 * speech that is. NULL and an error when the file is no study. `name` is for messages. */
json_t *study_by_model(const json_t *study, const char *name, attn_error *error);

#endif
