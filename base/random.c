#include "attn/random.h"

uint64_t attn_random_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

size_t attn_random_below(uint64_t *state, size_t bound) {
    return (size_t)(attn_random_next(state) % bound);
}

void attn_random_uniform(float *out, size_t n, float scale, uint64_t *state) {
    for (size_t i = 0; i < n; i++)
        out[i] = ((float)(attn_random_next(state) >> 40) * 0x1p-23f - 1.0f) * scale;
}
