#include "attn/train.h"

#include "impl/train/passes/ctc.h"

double attn_train_ctc(float *dlogits, double factor, const float *logits, size_t frames, size_t vocab,
                      const int32_t *labels, size_t label_count, void *workspace, bool *feasible) {
    return attn_train_ctc_real(dlogits, factor, logits, frames, vocab, labels, label_count, workspace,
                               feasible);
}
