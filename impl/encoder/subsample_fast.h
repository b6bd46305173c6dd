/* attn_encoder_ops.subsample by matrix products, on the threads in use. Private to impl/encoder. */
#ifndef IMPL_ENCODER_SUBSAMPLE_FAST_H
#define IMPL_ENCODER_SUBSAMPLE_FAST_H

#include "impl/encoder/encoder.h"

void attn_subsample_fast(float *y, const float *x, const attn_embed *embed, size_t rows, const float *packed,
                         attn_arena arena);
size_t attn_subsample_fast_peak(const attn_embed *embed, size_t rows, attn_arena arena);

#endif
