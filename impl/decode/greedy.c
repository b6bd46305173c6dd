#include "attn/decode.h"

#include <math.h>

/* 0, the blank, where a logit is NaN. */
static int32_t best_token(const float *logits, size_t vocab) {
    size_t best = 0;
    for (size_t k = 0; k < vocab; k++) {
        if (isnan(logits[k]))
            return 0;
        best = logits[k] > logits[best] ? k : best;
    }
    return (int32_t)best;
}

size_t attn_decode_greedy(int32_t *out, const float *logits, size_t frames, size_t vocab, int32_t *last) {
    int32_t before = last ? *last : 0;
    size_t count = 0;
    for (size_t t = 0; t < frames; t++) {
        int32_t token = best_token(logits + t * vocab, vocab);
        if (token && token != before)
            out[count++] = token;
        before = token;
    }
    if (last)
        *last = before;
    return count;
}
