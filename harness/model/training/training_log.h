/* log.jsonl: a JSON object an epoch, a line each. */
#ifndef HARNESS_MODEL_TRAINING_LOG_H
#define HARNESS_MODEL_TRAINING_LOG_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct training_row {
    size_t epoch, steps; /* steps since the training began */
    double seconds;      /* of the epoch, without the judging */
    double loss, dev_loss, dev_wer_percent, learning_rate, gradient_norm;
    size_t infeasible, peak_bytes;
    bool synthetic; /* a program made the speech */
} training_row;

/* Keeps the lines of the epochs before this one and writes the file anew. An epoch that was run again after a
 * stop takes its old line's place. */
int training_log_add(const char *path, const training_row *row, attn_error *error);

#endif
