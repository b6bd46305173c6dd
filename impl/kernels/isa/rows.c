/* Row functions of the softmax and the linear feature map; compiled once per instruction set (ATTN_ISA).
 * Sums may be reordered (omp simd), nothing else is relaxed: a NaN that goes in comes out. */
#include "impl/kernels/isa/isa.h"
#include "impl/kernels/kernels.h"

/* exp(x) for x <= 88, to about 2 ulp; below -87 it stays at exp(-87), about 1e-38. Branch-free, so that loops
 * vectorise. Range reduction x = n ln 2 + r with |r| <= ln 2 / 2; the polynomial is the Taylor series of exp
 * to r^7. */
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

static float softmax_numerators(float *x, size_t n, float scale) {
    if (!n)
        return 0.0f;
    float largest = x[0];
#pragma omp simd reduction(max : largest)
    for (size_t i = 0; i < n; i++)
        largest = x[i] > largest ? x[i] : largest;
    float sum = 0.0f, shift = largest * scale;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        x[i] = exp_branchless(x[i] * scale - shift);
        sum += x[i];
    }
    return sum;
}

static void scale(float *x, size_t n, float factor) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static void elu_plus_one(float *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float negative = x[i] > 0.0f ? 0.0f : x[i];
        x[i] = x[i] > 0.0f ? x[i] + 1.0f : exp_branchless(negative);
    }
}

const attn_row_kernels ISA_NAME(attn_rows) = {
    .softmax_numerators = softmax_numerators, .scale = scale, .elu_plus_one = elu_plus_one};
