/* Which branches a block has. Private to impl/. */
#ifndef IMPL_ENCODER_BRANCHES_H
#define IMPL_ENCODER_BRANCHES_H

#include "attn/config.h"

#include <stdbool.h>

/* fixed_ave with all the weight on one branch: ESPnet drops the other, and so do we. */
bool attn_uses_attention(const attn_config *config);
bool attn_uses_cgmlp(const attn_config *config);

#endif
