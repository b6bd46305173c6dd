/* NEON of 64-bit Arm: see vec.h. */
#include "impl/kernels/isa/vec_4.h"

#include <arm_neon.h>

#define TOGETHER 4
enum { SUMS = 16, MIXED = 16, TALL = 4 };

static inline vec larger(vec a, vec b) {
    return (vec)vbslq_f32(vcgtq_f32((float32x4_t)a, (float32x4_t)b), (float32x4_t)a, (float32x4_t)b);
}
static inline vec widen_f16(const uint16_t *p) {
    return (vec)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}
static inline float half_to_float(uint16_t half) {
    return vgetq_lane_f32(vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(half))), 0);
}
