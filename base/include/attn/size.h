/* Sizes: the smaller and the larger of two, and sums and products that stay at SIZE_MAX, which no allocator
 * gives, where they do not fit. */
#ifndef ATTN_SIZE_H
#define ATTN_SIZE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline size_t attn_smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static inline size_t attn_larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static inline size_t attn_plus(size_t a, size_t b) {
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static inline size_t attn_times(size_t a, size_t b) {
    return b && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

#ifdef __cplusplus
}
#endif
#endif
