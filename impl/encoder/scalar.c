/* The plain loops behind the parts: the reference that everything faster is compared with. Sums in double. */
#include "impl/encoder/encoder.h"
#include "impl/kernels/plain.h"

#include <math.h>

static void layer_norm(float *y, const float *x, const attn_norm *norm, size_t rows, double eps) {
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

static void glu(float *y, const float *x, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++)
        attn_plain_glu(y + r * width, x + 2 * r * width, width);
}

static void add_scaled(float *y, const float *x, size_t count, float factor) {
    for (size_t i = 0; i < count; i++)
        y[i] += factor * x[i];
}

static void depthwise(float *y, const float *x, const attn_depthwise *w, size_t rows, const float *taps) {
    (void)taps;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < w->channels; c++) {
            double sum = w->bias[c];
            for (size_t j = 0; j < w->kernel; j++)
                sum += (double)x[(r + j) * w->channels + c] * w->weight[c * w->kernel + j];
            y[r * w->channels + c] = (float)sum;
        }
}

/* sums [width] += what the input channels of a frame give one output channel; x [3, in, bins], weight [in, 3, 3]. */
static void add_channels(double *sums, const float *x, const float *weight, size_t in, size_t bins,
                         size_t width) {
    for (size_t i = 0; i < in; i++)
        for (size_t row = 0; row < 3; row++)
            for (size_t column = 0; column < 3; column++) {
                const float *from = x + (row * in + i) * bins + column;
                double w = weight[(i * 3 + row) * 3 + column];
                for (size_t f = 0; f < width; f++)
                    sums[f] += (double)from[2 * f] * w;
            }
}

/* A 3x3 stride-2 convolution without padding, and ReLU: y [rows, out, (bins - 1) / 2] from
 * x [2 rows + 1, in, bins]. */
static void conv2d_relu(float *y, const float *x, const float *weight, const float *bias, size_t rows,
                        size_t out, size_t in, size_t bins, double *sums) {
    size_t width = (bins - 1) / 2;
    for (size_t t = 0; t < rows; t++)
        for (size_t o = 0; o < out; o++) {
            for (size_t f = 0; f < width; f++)
                sums[f] = bias[o];
            add_channels(sums, x + 2 * t * in * bins, weight + o * in * 9, in, bins, width);
            for (size_t f = 0; f < width; f++)
                y[(t * out + o) * width + f] = sums[f] > 0.0 ? (float)sums[f] : 0.0f;
        }
}

typedef struct subsample_buffers {
    float *first; /* of the first convolution: [2 rows + 1, d_model, bins] */
    double *sums; /* of one channel: [bins] */
} subsample_buffers;

static subsample_buffers subsample_layout(attn_arena *arena, const attn_embed *embed, size_t rows) {
    return (subsample_buffers){.first =
                                   attn_arena_floats(arena, 2 * rows + 1, embed->out.out * embed->bins[1]),
                               .sums = attn_arena_take(arena, embed->bins[1], sizeof(double))};
}

static size_t subsample_peak(const attn_embed *embed, size_t rows, attn_arena arena) {
    subsample_layout(&arena, embed, rows);
    return arena.peak;
}

static void subsample(float *y, const float *x, const attn_embed *embed, size_t rows, const float *packed,
                      attn_arena arena) {
    (void)packed;
    size_t d_model = embed->out.out;
    subsample_buffers b = subsample_layout(&arena, embed, rows);
    conv2d_relu(b.first, x, embed->conv_weight[0], embed->conv_bias[0], 2 * rows + 1, d_model, 1,
                embed->bins[0], b.sums);
    conv2d_relu(y, b.first, embed->conv_weight[1], embed->conv_bias[1], rows, d_model, d_model,
                embed->bins[1], b.sums);
}

const attn_encoder_ops attn_encoder_scalar = {.linear = attn_linear_scalar,
                                              .layer_norm = layer_norm,
                                              .swish = attn_plain_swish,
                                              .gelu = attn_plain_gelu,
                                              .glu = glu,
                                              .multiply = attn_plain_multiply,
                                              .add_scaled = add_scaled,
                                              .depthwise = depthwise,
                                              .subsample = subsample,
                                              .subsample_peak = subsample_peak};
