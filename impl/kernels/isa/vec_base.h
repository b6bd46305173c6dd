/* Any CPU: see vec.h. */
#include "impl/kernels/isa/vec_4.h"

#define TOGETHER 4
enum { SUMS = 8, MIXED = 8, TALL = 2 };

static inline vec larger(vec a, vec b) {
    ivec first = (ivec)(a > b);
    return (vec)(((ivec)a & first) | ((ivec)b & ~first));
}
/* The exponents of halves and floats are 112 apart; multiplying is exact for subnormals too. */
static inline vec widen_halves(ivec half) {
    ivec sign = (ivec)((uvec)(half & 0x8000) << 16), size = (half & 0x7fff) << 13;
    ivec special = (ivec)(size >= 0x7c00 << 13) & 0x7f800000;
    return (vec)((ivec)((vec)size * 0x1p112f) | special | sign);
}
static inline vec widen_f16(const uint16_t *p) {
    return widen_halves((ivec){p[0], p[1], p[2], p[3]});
}
static inline float half_to_float(uint16_t half) {
    return widen_halves((ivec){half})[0];
}
