/* What a model has by its configuration. Private to impl/. */
#ifndef IMPL_ENCODER_STRUCTURE_H
#define IMPL_ENCODER_STRUCTURE_H

#include "attn/config.h"

#include <stdbool.h>

/* fixed_ave with all the weight on one branch: ESPnet drops the other, and so do we. */
bool attn_uses_attention(const attn_config *config);
bool attn_uses_cgmlp(const attn_config *config);

/* BatchNorm in its convolution modules; else LayerNorm, or no such modules. */
bool attn_has_batch_norm(const attn_config *config);
#define ATTN_BATCH_NORM_EPS 1e-5 /* PyTorch's default, which ESPnet and WeNet keep */

/* An encoder with positions scales its input by sqrt(d_model). */
bool attn_scales_input(const attn_config *config);

#endif
