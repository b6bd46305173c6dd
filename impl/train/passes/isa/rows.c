/* Compiled once per instruction set (ATTN_ISA), and in double. Sums may be reordered (omp simd), nothing else
 * is relaxed: a NaN that goes in comes out. */
#include "impl/train/passes/rows.h"

#include "impl/kernels/isa/exp.h"
#include "impl/kernels/isa/isa.h"
#include "impl/train/passes/philox.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = 32 }; /* of a depthwise convolution that are summed together */

#ifdef ATTN_TRAIN_F64
#define real_sqrt sqrt
static inline attn_real exponential(attn_real x) {
    return exp(x);
}
/* (1 + erf(x / sqrt 2)) / 2 */
static inline attn_real normal_below(attn_real x) {
    return 0.5 * (1.0 + erf(x * 0.70710678118654752));
}
#else
#define real_sqrt sqrtf
static inline attn_real exponential(attn_real x) {
    x = x > 88.0f ? 88.0f : x;
    return exp_branchless(x);
}
/* (1 + erf(x / sqrt 2)) / 2, to 1e-7: Abramowitz and Stegun (1964), 7.1.26. */
static inline attn_real normal_below(attn_real x) {
    float size = fabsf(x) * 0.70710678f, t = 1.0f / (1.0f + 0.3275911f * size);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float tail = 0.5f * p * t * exp_branchless(-size * size);
    return x < 0.0f ? tail : 1.0f - tail;
}
#endif

static inline attn_real sigmoid(attn_real x) {
    return 1 / (1 + exponential(-x));
}

static void add(attn_real *restrict y, const attn_real *restrict x, size_t n, attn_real factor) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

static void multiply(attn_real *y, const attn_real *a, const attn_real *b, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] * b[i];
}

static void multiply_add(attn_real *restrict y, const attn_real *restrict a, const attn_real *restrict b,
                         size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] += a[i] * b[i];
}

static void add_columns(attn_real *restrict sum, const attn_real *restrict x, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++)
        add(sum, x + r * n, n, 1);
}

static attn_real layer_norm(attn_real *restrict y, attn_real *restrict normal, const attn_real *restrict x,
                            const attn_real *restrict w, const attn_real *restrict b, size_t n,
                            attn_real eps) {
    attn_real sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    attn_real mean = sum / (attn_real)n;
#pragma omp simd reduction(+ : squares)
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    attn_real scale = 1 / real_sqrt(squares / (attn_real)n + eps);
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        normal[i] = (x[i] - mean) * scale;
        y[i] = normal[i] * w[i] + b[i];
    }
    return scale;
}

static void layer_norm_backward(attn_real *restrict dx, attn_real *restrict dw, attn_real *restrict db,
                                const attn_real *restrict dy, const attn_real *restrict normal,
                                const attn_real *restrict w, size_t n, attn_real scale) {
    attn_real mean = 0, along = 0;
#pragma omp simd reduction(+ : mean, along)
    for (size_t i = 0; i < n; i++) {
        mean += dy[i] * w[i];
        along += dy[i] * w[i] * normal[i];
    }
    mean /= (attn_real)n;
    along /= (attn_real)n;
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        dx[i] += scale * (dy[i] * w[i] - mean - normal[i] * along);
        dw[i] += dy[i] * normal[i];
        db[i] += dy[i];
    }
}

static void moments(attn_real *restrict mean, attn_real *restrict variance, const attn_real *restrict x,
                    size_t rows, size_t n) {
    memset(mean, 0, n * sizeof *mean);
    memset(variance, 0, n * sizeof *variance);
    add_columns(mean, x, rows, n);
    for (size_t i = 0; i < n; i++)
        mean[i] /= (attn_real)rows;
    for (size_t r = 0; r < rows; r++)
#pragma omp simd
        for (size_t i = 0; i < n; i++)
            variance[i] += (x[r * n + i] - mean[i]) * (x[r * n + i] - mean[i]);
    for (size_t i = 0; i < n; i++)
        variance[i] /= (attn_real)rows;
}

static void normalize(attn_real *restrict y, attn_real *restrict normal, const attn_real *restrict x,
                      const attn_real *restrict mean, const attn_real *restrict scale,
                      const attn_real *restrict w, const attn_real *restrict b, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        normal[i] = (x[i] - mean[i]) * scale[i];
        y[i] = normal[i] * w[i] + b[i];
    }
}

static void swish(attn_real *restrict y, const attn_real *restrict x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * sigmoid(x[i]);
}

static void swish_backward(attn_real *dx, const attn_real *dy, const attn_real *restrict x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        attn_real s = sigmoid(x[i]);
        dx[i] = dy[i] * s * (1 + x[i] * (1 - s));
    }
}

static void gelu(attn_real *restrict y, const attn_real *restrict x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * normal_below(x[i]);
}

static void gelu_backward(attn_real *dx, const attn_real *dy, const attn_real *restrict x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        attn_real density = exponential((attn_real)-0.5 * x[i] * x[i]) * (attn_real)0.39894228040143268;
        dx[i] = dy[i] * (normal_below(x[i]) + x[i] * density);
    }
}

static void glu(attn_real *restrict y, const attn_real *restrict x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * sigmoid(x[n + i]);
}

static void glu_backward(attn_real *restrict dx, const attn_real *restrict dy, const attn_real *restrict x,
                         size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        attn_real s = sigmoid(x[n + i]);
        dx[i] = dy[i] * s;
        dx[n + i] = dy[i] * x[i] * s * (1 - s);
    }
}

static void elu_plus_one(attn_real *x, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++) {
        attn_real negative = x[i] > 0 ? 0 : x[i];
        x[i] = x[i] > 0 ? x[i] + 1 : exponential(negative);
    }
}

static void elu_plus_one_backward(attn_real *restrict dx, const attn_real *restrict y, size_t n) {
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        dx[i] *= y[i] > 1 ? 1 : y[i];
}

static void softmax(attn_real *x, size_t n, attn_real scale) {
    attn_real largest = n ? x[0] : 0, sum = 0;
#pragma omp simd reduction(max : largest)
    for (size_t i = 0; i < n; i++)
        largest = x[i] > largest ? x[i] : largest;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        x[i] = exponential((x[i] - largest) * scale);
        sum += x[i];
    }
    sum = 1 / sum;
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        x[i] *= sum;
}

static void softmax_backward(attn_real *restrict dp, const attn_real *restrict p, size_t n, attn_real scale) {
    attn_real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += dp[i] * p[i];
#pragma omp simd
    for (size_t i = 0; i < n; i++)
        dp[i] = scale * p[i] * (dp[i] - sum);
}

static void depthwise(attn_real *restrict y, const attn_real *restrict x, const attn_real *restrict taps,
                      const attn_real *restrict bias, size_t rows, size_t n, size_t kernel) {
    for (size_t c = 0; c < n; c += CHANNELS) {
        size_t some = n - c < CHANNELS ? n - c : CHANNELS;
        for (size_t r = 0; r < rows; r++) {
            attn_real sum[CHANNELS];
            memcpy(sum, bias + c, some * sizeof *sum);
            for (size_t j = 0; j < kernel; j++)
#pragma omp simd
                for (size_t i = 0; i < some; i++)
                    sum[i] += x[(r + j) * n + c + i] * taps[j * n + c + i];
            memcpy(y + r * n + c, sum, some * sizeof *sum);
        }
    }
}

static void depthwise_backward(attn_real *restrict dx, attn_real *restrict dtaps,
                               const attn_real *restrict dy, const attn_real *restrict x,
                               const attn_real *restrict taps, size_t rows, size_t n, size_t kernel) {
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < kernel; j++)
#pragma omp simd
            for (size_t i = 0; i < n; i++)
                dx[(r + j) * n + i] += dy[r * n + i] * taps[j * n + i];
    for (size_t c = 0; c < n; c += CHANNELS) {
        size_t some = n - c < CHANNELS ? n - c : CHANNELS;
        for (size_t j = 0; j < kernel; j++) {
            attn_real sum[CHANNELS] = {0};
            for (size_t r = 0; r < rows; r++)
#pragma omp simd
                for (size_t i = 0; i < some; i++)
                    sum[i] += dy[r * n + c + i] * x[(r + j) * n + c + i];
            add(dtaps + j * n + c, sum, some, 1);
        }
    }
}

static void bias_relu(attn_real *restrict y, const attn_real *restrict bias, size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, y += n)
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            attn_real sum = y[i] + bias[i];
            y[i] = sum < 0 ? 0 : sum;
        }
}

static void relu_backward(attn_real *restrict dy, attn_real *restrict dbias, const attn_real *restrict y,
                          size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, y += n, dy += n)
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            attn_real d = y[i] > 0 ? dy[i] : 0;
            dy[i] = d;
            dbias[i] += d;
        }
}

static void conv3x3(attn_real *restrict y, const attn_real *restrict x, size_t ldx,
                    const attn_real *restrict taps, const attn_real *restrict bias, size_t width, size_t n) {
    for (size_t f = 0; f < width; f++, x += 2, y += n) {
        const attn_real *a = x, *b = x + ldx, *c = x + 2 * ldx, *w = taps;
#pragma omp simd
        for (size_t i = 0; i < n; i++) {
            attn_real sum = bias[i] + a[0] * w[i] + a[1] * w[n + i] + a[2] * w[2 * n + i];
            sum += b[0] * w[3 * n + i] + b[1] * w[4 * n + i] + b[2] * w[5 * n + i];
            sum += c[0] * w[6 * n + i] + c[1] * w[7 * n + i] + c[2] * w[8 * n + i];
            y[i] = sum < 0 ? 0 : sum;
        }
    }
}

enum { BLOCK = 16 }; /* channels whose nine sums stay in registers */

static void conv3x3_block(attn_real *restrict dtaps, const attn_real *restrict dz,
                          const attn_real *restrict x, size_t ldx, size_t width, size_t n) {
    attn_real sum[9][BLOCK] = {{0}};
    for (size_t f = 0; f < width; f++, x += 2, dz += n)
        for (size_t tap = 0; tap < 9; tap++)
#pragma omp simd
            for (size_t i = 0; i < BLOCK; i++)
                sum[tap][i] += x[tap / 3 * ldx + tap % 3] * dz[i];
    for (size_t tap = 0; tap < 9; tap++)
        for (size_t i = 0; i < BLOCK; i++)
            dtaps[tap * n + i] += sum[tap][i];
}

static void conv3x3_backward(attn_real *restrict dtaps, const attn_real *restrict dz,
                             const attn_real *restrict x, size_t ldx, size_t width, size_t n) {
    size_t c = 0;
    for (; c + BLOCK <= n; c += BLOCK)
        conv3x3_block(dtaps + c, dz + c, x, ldx, width, n);
    for (size_t f = 0; c < n && f < width; f++)
        for (size_t tap = 0; tap < 9; tap++)
            for (size_t i = c; i < n; i++)
                dtaps[tap * n + i] += x[tap / 3 * ldx + 2 * f + tap % 3] * dz[f * n + i];
}

/* Element i is word i % 4 of the block whose counter begins with first + i / 4. */
static void dropout(attn_real *x, size_t n, uint32_t first, float keep, const uint32_t key[2],
                    const uint32_t counter[3]) {
    enum { BLOCKS = 16 };
    uint32_t limit = (uint32_t)(keep * 0x1p24f), bits[4][BLOCKS];
    attn_real scale = 1 / (attn_real)keep;
    for (size_t at = 0; at < n; at += 4 * BLOCKS) {
        for (uint32_t b = 0; b < BLOCKS; b++) {
            attn_philox block = attn_philox_block(first + (uint32_t)(at / 4) + b, counter, key);
            for (size_t w = 0; w < 4; w++)
                bits[w][b] = block.word[w] >> 8;
        }
        size_t some = n - at < 4 * BLOCKS ? n - at : 4 * BLOCKS;
        for (size_t i = 0; i < some; i++)
            x[at + i] = bits[i % 4][i / 4] < limit ? x[at + i] * scale : 0;
    }
}

const attn_train_row_kernels ISA_NAME(attn_train_rows) = {.add = add,
                                                          .multiply = multiply,
                                                          .multiply_add = multiply_add,
                                                          .add_columns = add_columns,
                                                          .layer_norm = layer_norm,
                                                          .layer_norm_backward = layer_norm_backward,
                                                          .moments = moments,
                                                          .normalize = normalize,
                                                          .swish = swish,
                                                          .swish_backward = swish_backward,
                                                          .gelu = gelu,
                                                          .gelu_backward = gelu_backward,
                                                          .glu = glu,
                                                          .glu_backward = glu_backward,
                                                          .elu_plus_one = elu_plus_one,
                                                          .elu_plus_one_backward = elu_plus_one_backward,
                                                          .softmax = softmax,
                                                          .softmax_backward = softmax_backward,
                                                          .depthwise = depthwise,
                                                          .depthwise_backward = depthwise_backward,
                                                          .bias_relu = bias_relu,
                                                          .relu_backward = relu_backward,
                                                          .conv3x3 = conv3x3,
                                                          .conv3x3_backward = conv3x3_backward,
                                                          .dropout = dropout};
