/* What a checkpoint is of, where it is not of the model that the configuration describes. */
#ifndef IMPL_MODEL_RECOGNISE_H
#define IMPL_MODEL_RECOGNISE_H

#include "attn/config.h"
#include "attn/safetensors.h"

/* The first key, the most telling first, by which the checkpoint's tensors are of another model: "its tensors are those of a
 * branchformer, but model_type is conformer". Empty when there is none. */
void attn_model_recognise(char text[200], const attn_safetensors *file, const attn_config *config);

#endif
