/* Row functions of the softmax and the linear feature map; compiled once per instruction set (ATTN_ISA).
 * Sums may be reordered (omp simd), nothing else is relaxed: a NaN that goes in comes out. */
#include "impl/kernels/isa/exp.h"
#include "impl/kernels/isa/isa.h"
#include "impl/kernels/kernels.h"

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

static void add_angles(float *restrict sum, const float *restrict a, const float *restrict b, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        sum[i] = a[i] * b[n + i] + a[n + i] * b[i];
        sum[n + i] = a[n + i] * b[n + i] - a[i] * b[i];
    }
}

const attn_row_kernels ISA_NAME(attn_rows) = {.softmax_numerators = softmax_numerators,
                                              .scale = scale,
                                              .elu_plus_one = elu_plus_one,
                                              .add_angles = add_angles};
