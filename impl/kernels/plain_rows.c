#include "impl/kernels/plain.h"

#include <math.h>

float attn_plain_softmax_numerators(float *x, size_t n, float scale) {
    double sum = 0.0, largest = -INFINITY;
    for (size_t i = 0; i < n; i++)
        largest = (double)x[i] * scale > largest ? (double)x[i] * scale : largest;
    for (size_t i = 0; i < n; i++)
        sum += x[i] = (float)exp((double)x[i] * scale - largest);
    return (float)sum;
}

void attn_plain_scale(float *x, size_t n, float factor) {
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] * factor;
}

void attn_plain_elu_plus_one(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] > 0.0f ? x[i] + 1.0f : (float)exp(x[i]);
}

/* sin(a + b) and cos(a + b): the addition theorem. */
void attn_plain_add_angles(float *sum, const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        sum[i] = (float)((double)a[i] * b[n + i] + (double)a[n + i] * b[i]);
        sum[n + i] = (float)((double)a[n + i] * b[n + i] - (double)a[i] * b[i]);
    }
}

void attn_plain_layer_norm(float *y, const float *x, const float *weight, const float *bias, size_t n,
                           float eps) {
    double mean = 0.0, variance = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += (x[i] - mean) * (x[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++)
        y[i] = (float)((x[i] - mean) / sqrt(variance + eps) * weight[i] + bias[i]);
}

static double sigmoid(double x) {
    return 1.0 / (1.0 + exp(-x));
}

void attn_plain_swish(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(x[i] * sigmoid(x[i]));
}

void attn_plain_gelu(float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(x[i] * (1.0 + erf(x[i] / sqrt(2.0))) / 2.0);
}

void attn_plain_glu(float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] = (float)(x[i] * sigmoid(x[n + i]));
}

void attn_plain_multiply(float *y, const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] = y[i] * x[i];
}

void attn_plain_add_scaled(float *y, const float *x, size_t n, float factor) {
    for (size_t i = 0; i < n; i++)
        y[i] = (float)(y[i] + (double)x[i] * factor);
}

void attn_plain_depthwise(float *y, const float *x, const float *taps, const float *bias, size_t rows,
                          size_t channels, size_t kernel) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++) {
            double sum = bias[c];
            for (size_t j = 0; j < kernel; j++)
                sum += (double)x[(r + j) * channels + c] * taps[j * channels + c];
            y[r * channels + c] = (float)sum;
        }
}

static double convolve(const float *x, size_t ldx, const float *taps, double bias, size_t channels) {
    for (size_t row = 0; row < 3; row++)
        for (size_t column = 0; column < 3; column++)
            bias += (double)x[row * ldx + column] * taps[(row * 3 + column) * channels];
    return bias < 0.0 ? 0.0 : bias; /* ReLU; a NaN stays */
}

/* Input i of a direction is position plus[i], less position 2 for i of 0 and 2. */
void attn_plain_conv3x3_tile(float *y, size_t step, const float *x, size_t ldx, size_t rows, size_t columns,
                             const float *taps, const float *bias, size_t channels) {
    static const size_t plus[5] = {0, 2, 4, 1, 3};
    for (size_t c = 0; c < channels; c++) {
        double at[5][5] = {{0}};
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                at[i][j] = convolve(x + 2 * (i * ldx + j), ldx, taps + c, bias[c], channels);
        for (size_t i = 0; i < 25; i++) {
            size_t row = plus[i / 5], column = plus[i % 5];
            bool less_row = row % 4 == 0, less_column = column % 4 == 0;
            double sum = at[row][column] - (less_row ? at[2][column] : 0) - (less_column ? at[row][2] : 0) +
                         (less_row && less_column ? at[2][2] : 0);
            y[i * step + c] = (float)sum;
        }
    }
}
