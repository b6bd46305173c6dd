/* The training loop: epochs over a split, a model, a log and a state that goes on where it was. */
#ifndef HARNESS_MODEL_TRAINING_H
#define HARNESS_MODEL_TRAINING_H

#include "harness/model/training/training_request.h"

/* Trains, or goes on: RUN/state.safetensors of the same training (configuration, units, seed, epochs, speech) is
 * taken up at the end of the last epoch that it has. RUN/ holds model.yaml, model.safetensors, units.txt, log.jsonl
 * and state.safetensors, each written whole. Leaves OpenBLAS with one
 * thread. */
int training_run(const training_request *request, attn_error *error);

/* Goes down step by step: a training for each of `dims`, the first from the request's weights, each next from what
 * the one before it left, all but the last in RUN/steps/N-latent-DIM, the last in RUN. request->convert_to is set. */
int training_run_schedule(const training_request *request, const size_t *dims, size_t count,
                          attn_error *error);

#endif
