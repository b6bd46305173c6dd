/* The exponential of the row functions: branch-free, so that loops vectorise. */
#ifndef IMPL_KERNELS_ISA_EXP_H
#define IMPL_KERNELS_ISA_EXP_H

/* exp(x) for x <= 88, to about 2 ulp; below -87 it stays at exp(-87), about 1e-38. A NaN comes out as NaN.
 * Range reduction x = n ln 2 + r with |r| <= ln 2 / 2; the polynomial is the Taylor series of exp to r^7. */
static inline float exp_branchless(float x) {
    const float round = 12582912.0f; /* 1.5 2^23: adding it leaves the nearest integer in the low bits */
    x = x < -87.0f ? -87.0f : x;
    float t = x * 1.44269504089f + round;
    float n = t - round;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.0f / 5040.0f;
    p = p * r + 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    union {
        float f;
        unsigned u;
    } bits = {.f = t};
    bits.u = (bits.u + 127u) << 23;
    return p * bits.f;
}

#endif
