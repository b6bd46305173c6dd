/* The model that a training begins with. */
#ifndef HARNESS_MODEL_TRAINING_MODEL_H
#define HARNESS_MODEL_TRAINING_MODEL_H

#include "harness/model/speech/speech.h"
#include "harness/model/training/training_request.h"

/* From scratch, or request->weights, then converted where the request says so: what is not mha becomes the mha that
 * computes the same first. config (complete) is that of the weights, and becomes that of *model. */
int training_model_make(attn_model **model, attn_config *config, const training_request *request,
                        const speech *s, attn_error *error);

#endif
