/* Compiled once per instruction set (ATTN_ISA). Sums may be reordered (omp simd), nothing else is relaxed: a
 * NaN that goes in comes out. */
#include "impl/kernels/encoder_rows.h"
#include "impl/kernels/isa/exp.h"
#include "impl/kernels/isa/isa.h"
#include "impl/kernels/isa/vec.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = 64 }; /* of a depthwise convolution that are summed together */

static void layer_norm(float *y, const float *x, const float *weight, const float *bias, size_t n,
                       float eps) {
    float sum = 0.0f, squares = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    float mean = sum / (float)n;
#pragma omp simd reduction(+ : squares)
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    float scale = 1.0f / sqrtf(squares / (float)n + eps);
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

/* 1 / (1 + exp(-x)); at -88 it is 1e-38 already. */
static inline float sigmoid(float x) {
    x = x < -88.0f ? -88.0f : x;
    return 1.0f / (1.0f + exp_branchless(-x));
}

static void swish(float *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        x[i] *= sigmoid(x[i]);
}

static void glu(float *restrict y, const float *restrict x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * sigmoid(x[n + i]);
}

/* 1 - erf(x) for x >= 0, to 1.5e-7: Abramowitz and Stegun (1964), 7.1.26. */
static inline float erfc_positive(float x) {
    float t = 1.0f / (1.0f + 0.3275911f * x);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    return p * t * exp_branchless(-x * x);
}

static void gelu(float *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        float size = fabsf(x[i]) * 0.70710678f, tail = 0.5f * erfc_positive(size);
        x[i] *= x[i] < 0.0f ? tail : 1.0f - tail;
    }
}

static void multiply(float *restrict y, const float *restrict x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] *= x[i];
}

static void add_scaled(float *restrict y, const float *restrict x, size_t n, float factor) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] += x[i] * factor;
}

static void depthwise_block(float *restrict y, const float *restrict x, const float *restrict taps,
                            const float *restrict bias, size_t channels, size_t kernel) {
    float sum[CHANNELS];
    memcpy(sum, bias, sizeof sum);
    for (size_t j = 0; j < kernel; j++)
#pragma omp simd
        for (size_t c = 0; c < CHANNELS; c++)
            sum[c] += x[j * channels + c] * taps[j * channels + c];
    memcpy(y, sum, sizeof sum);
}

static void depthwise_rest(float *restrict y, const float *restrict x, const float *restrict taps,
                           const float *restrict bias, size_t channels, size_t kernel, size_t count) {
    memcpy(y, bias, count * sizeof(float));
    for (size_t j = 0; j < kernel; j++)
#pragma omp simd
        for (size_t c = 0; c < count; c++)
            y[c] += x[j * channels + c] * taps[j * channels + c];
}

static void depthwise(float *y, const float *x, const float *taps, const float *bias, size_t rows,
                      size_t channels, size_t kernel) {
    size_t c = 0;
    for (; c + CHANNELS <= channels; c += CHANNELS)
        for (size_t r = 0; r < rows; r++)
            depthwise_block(y + r * channels + c, x + r * channels + c, taps + c, bias + c, channels, kernel);
    for (size_t r = 0; c < channels && r < rows; r++)
        depthwise_rest(y + r * channels + c, x + r * channels + c, taps + c, bias + c, channels, kernel,
                       channels - c);
}

/* One position, with ReLU; a NaN stays. */
INLINE vec convolve(const float *x, size_t ldx, const vec taps[9], vec bias) {
    vec sum = bias;
    UNROLL
    for (size_t i = 0; i < 9; i++)
        sum += broadcast(x[i / 3 * ldx + i % 3]) * taps[i];
    return larger((vec){0}, sum);
}

/* x0 to x4 become x0 - x2, x2, x4 - x2, x1, x3; `step` vectors are between them. */
INLINE void combine(vec *x, size_t step) {
    vec x1 = x[step], x2 = x[2 * step], x3 = x[3 * step];
    x[0] -= x2;
    x[step] = x2;
    x[2 * step] = x[4 * step] - x2;
    x[3 * step] = x1;
    x[4 * step] = x3;
}

/* Channels c to c + VL - 1 or, where part is not 0, that many. */
INLINE void tile_channels(float *y, size_t step, const float *x, size_t ldx, size_t rows, size_t columns,
                          const float *taps, const float *bias, size_t channels, size_t part) {
    vec w[9], tile[25] = {{0}};
    UNROLL
    for (size_t i = 0; i < 9; i++)
        w[i] = part ? load_part(taps + i * channels, part) : load(taps + i * channels);
    vec b = part ? load_part(bias, part) : load(bias);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            tile[5 * i + j] = convolve(x + 2 * (i * ldx + j), ldx, w, b);
    for (size_t i = 0; i < 5; i++)
        combine(tile + 5 * i, 1);
    for (size_t j = 0; j < 5; j++)
        combine(tile + j, 5);
    for (size_t i = 0; i < 25; i++)
        if (part)
            store_part(y + i * step, tile[i], part);
        else
            store(y + i * step, tile[i]);
}

static void conv3x3_tile(float *y, size_t step, const float *x, size_t ldx, size_t rows, size_t columns,
                         const float *taps, const float *bias, size_t channels) {
    size_t c = 0;
    for (; c + VL <= channels; c += VL)
        tile_channels(y + c, step, x, ldx, rows, columns, taps + c, bias + c, channels, 0);
    if (c < channels)
        tile_channels(y + c, step, x, ldx, rows, columns, taps + c, bias + c, channels, channels - c);
}

const attn_encoder_row_kernels ISA_NAME(attn_encoder_rows) = {.layer_norm = layer_norm,
                                                              .swish = swish,
                                                              .gelu = gelu,
                                                              .glu = glu,
                                                              .multiply = multiply,
                                                              .add_scaled = add_scaled,
                                                              .depthwise = depthwise,
                                                              .conv3x3_tile = conv3x3_tile};
