/* The smaller and the larger of two sizes. */
#ifndef ATTN_SIZE_H
#define ATTN_SIZE_H

#include <stddef.h>

static inline size_t attn_smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static inline size_t attn_larger(size_t a, size_t b) {
    return a > b ? a : b;
}

#endif
