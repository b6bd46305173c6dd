#include "attn/train.h"

size_t attn_train_ctc_least_frames(const int32_t *labels, size_t count) {
    size_t least = count;
    for (size_t i = 1; i < count; i++)
        least += labels[i] == labels[i - 1];
    return least;
}

/* Log-probabilities, alpha, and two rows of beta. Labels that need more frames take nothing. */
size_t attn_train_ctc_bytes(size_t frames, size_t vocab, size_t labels) {
    size_t states, row, count;
    if (labels > frames)
        return 0;
    if (__builtin_mul_overflow(labels, (size_t)2, &states) ||
        __builtin_add_overflow(states, vocab + 1, &row) || __builtin_mul_overflow(row, frames + 2, &count) ||
        __builtin_mul_overflow(count, sizeof(double), &count))
        return SIZE_MAX;
    return count;
}
