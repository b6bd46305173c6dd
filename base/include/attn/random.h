/* Seeded numbers that are the same on every machine (splitmix64; Steele et al. 2014). */
#ifndef ATTN_RANDOM_H
#define ATTN_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint64_t attn_random_next(uint64_t *state);
size_t attn_random_below(uint64_t *state, size_t bound);                      /* 0..bound-1; bound > 0 */
void attn_random_uniform(float *out, size_t n, float scale, uint64_t *state); /* in [-scale, scale) */

#ifdef __cplusplus
}
#endif
#endif
