#include "impl/encoder/encoder.h"

#include <math.h>

void attn_layer_norm_scalar(float *y, const float *x, const attn_norm *norm, size_t rows, double eps) {
    size_t n = norm->width;
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        double mean = 0.0, variance = 0.0;
        for (size_t i = 0; i < n; i++)
            mean += x[i] / (double)n;
        for (size_t i = 0; i < n; i++)
            variance += (x[i] - mean) * (x[i] - mean) / (double)n;
        double scale = 1.0 / sqrt(variance + eps);
        for (size_t i = 0; i < n; i++)
            y[i] = (float)((x[i] - mean) * scale * norm->weight[i] + norm->bias[i]);
    }
}
