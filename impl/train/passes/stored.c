#include "impl/train/passes/stored.h"

#include "attn/element.h"
#include "attn/size.h"

enum { STRETCH = 256 };

void attn_train_store(uint16_t *to, const attn_real *from, size_t count) {
    float some[STRETCH];
    for (size_t at = 0; at < count; at += STRETCH) {
        size_t n = attn_smaller(STRETCH, count - at);
        for (size_t i = 0; i < n; i++)
            some[i] = (float)from[at + i];
        attn_element_store(to + at, some, n, ATTN_ELEMENT_BF16);
    }
}

void attn_train_take(attn_real *to, const uint16_t *from, size_t count) {
    float some[STRETCH];
    for (size_t at = 0; at < count; at += STRETCH) {
        size_t n = attn_smaller(STRETCH, count - at);
        attn_element_load(some, from + at, n, ATTN_ELEMENT_BF16);
        for (size_t i = 0; i < n; i++)
            to[at + i] = some[i];
    }
}
