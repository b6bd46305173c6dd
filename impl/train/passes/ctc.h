#ifndef TRAIN_CTC_H
#define TRAIN_CTC_H

#include "impl/train/passes/real.h"

#include <stdbool.h>
#include <stdint.h>

/* As attn_train_ctc (attn/train.h). */
double attn_train_ctc_real(attn_real *dlogits, double factor, const attn_real *logits, size_t frames,
                           size_t vocab, const int32_t *labels, size_t label_count, void *workspace,
                           bool *feasible);

#endif
