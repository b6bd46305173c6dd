/* What a block leaves for its way back, kept in bf16 until then: half of the memory, and gradients that see rounded
 * activations. The forward pass itself, and so the loss, is that of float. */
#ifndef TRAIN_STORED_H
#define TRAIN_STORED_H

#include "impl/train/passes/real.h"

#include <stdint.h>

/* to [count] = from, rounded to nearest even; and back. */
void attn_train_store(uint16_t *to, const attn_real *from, size_t count);
void attn_train_take(attn_real *to, const uint16_t *from, size_t count);

#endif
