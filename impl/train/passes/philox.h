/* Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3. Bits that
 * depend on a counter and a key alone, so that they can be had again in any order. */
#ifndef TRAIN_PHILOX_H
#define TRAIN_PHILOX_H

#include <stdint.h>

typedef struct attn_philox {
    uint32_t word[4];
} attn_philox;

/* The block of the counter (first, rest[0], rest[1], rest[2]). */
static inline attn_philox attn_philox_block(uint32_t first, const uint32_t rest[3], const uint32_t key[2]) {
    uint32_t c0 = first, c1 = rest[0], c2 = rest[1], c3 = rest[2], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xd2511f53u * c0, b = (uint64_t)0xcd9e8d57u * c2;
        uint32_t n0 = (uint32_t)(b >> 32) ^ c1 ^ k0, n2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        c0 = n0;
        c2 = n2;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return (attn_philox){{c0, c1, c2, c3}};
}

#endif
