/* --out-config F.yaml and --out-weights F.safetensors of commands that write a model. */
#ifndef CLI_FRAME_MODEL_OUTPUT_H
#define CLI_FRAME_MODEL_OUTPUT_H

#include "attn/error.h"

#include <stddef.h>

/* 0 when both are given, differ, and neither is one of the n files that the model is made from: an option
 * and its value each, NULL for one that is not given. */
int model_output_check(const char *out_config, const char *out_weights, const char *const from[][2], size_t n,
                       attn_error *error);

#endif
