/* Matrix products and vectorised rows behind the parts. */
#include "impl/encoder/encoder.h"
#include "impl/kernels/encoder_rows.h"
#include "impl/kernels/kernels.h"

static void layer_norm(float *y, const float *x, const attn_norm *norm, size_t rows, double eps) {
    const attn_encoder_row_kernels *kernels = attn_encoder_rows();
    size_t n = norm->width;
    for (size_t r = 0; r < rows; r++)
        kernels->layer_norm(y + r * n, x + r * n, norm->weight, norm->bias, n, (float)eps);
}

static void swish(float *x, size_t count) {
    attn_encoder_rows()->swish(x, count);
}

static void gelu(float *x, size_t count) {
    attn_encoder_rows()->gelu(x, count);
}

static void glu(float *y, const float *x, size_t rows, size_t width) {
    const attn_encoder_row_kernels *kernels = attn_encoder_rows();
    for (size_t r = 0; r < rows; r++)
        kernels->glu(y + r * width, x + 2 * r * width, width);
}

static void multiply(float *y, const float *x, size_t count) {
    attn_encoder_rows()->multiply(y, x, count);
}

static void add_scaled(float *y, const float *x, size_t count, float factor) {
    attn_encoder_rows()->add_scaled(y, x, count, factor);
}

static void depthwise(float *y, const float *x, const attn_depthwise *w, size_t rows, const float *taps) {
    attn_encoder_rows()->depthwise(y, x, taps, w->bias, rows, w->channels, w->kernel);
}

/* The first convolution writes planes, one for each parity of the frame and each of the three bins that a
 * filter sees (bin 2 f + 2 twice, as the next one's first): in a plane the inputs of one tap of the second
 * convolution lie side by side, so that each tap is one matrix product and nothing is copied. */
typedef struct plane_shape {
    size_t frames, row, plane; /* frames of a plane; floats of a frame, and of a plane */
} plane_shape;

static plane_shape shape_planes(const attn_embed *embed, size_t rows) {
    plane_shape s = {.frames = rows + 1, .row = embed->bins[2] * embed->out.out};
    s.plane = s.frames * s.row;
    return s;
}

typedef struct subsample_buffers {
    float *planes, *sums; /* [6, plane], [rows, row] */
} subsample_buffers;

static subsample_buffers subsample_layout(attn_arena *arena, const plane_shape *s, size_t rows) {
    return (subsample_buffers){.planes = attn_arena_floats(arena, 6, s->plane),
                               .sums = attn_arena_floats(arena, rows, s->row)};
}

static size_t subsample_peak(const attn_embed *embed, size_t rows, attn_arena arena) {
    plane_shape s = shape_planes(embed, rows);
    subsample_layout(&arena, &s, rows);
    return arena.peak;
}

size_t attn_subsampling_packed_floats(const attn_embed *embed) {
    size_t d_model = embed->out.out;
    return 9 * d_model + 9 * d_model * d_model;
}

/* [9, d_model] of the first, then [9, d_model (out), d_model (in)] of the second. */
void attn_subsampling_pack(float *packed, const attn_embed *embed) {
    size_t d = embed->out.out;
    float *second = packed + 9 * d;
    for (size_t o = 0; o < d; o++)
        for (size_t tap = 0; tap < 9; tap++)
            packed[tap * d + o] = embed->conv_weight[0][o * 9 + tap];
    for (size_t tap = 0; tap < 9; tap++)
        for (size_t o = 0; o < d; o++)
            for (size_t i = 0; i < d; i++)
                second[(tap * d + o) * d + i] = embed->conv_weight[1][(o * d + i) * 9 + tap];
}

static void first_convolution(float *planes, const float *x, const attn_embed *embed, size_t rows,
                              const float *taps) {
    const attn_encoder_row_kernels *kernels = attn_encoder_rows();
    plane_shape s = shape_planes(embed, rows);
    size_t d_model = embed->out.out, bins = embed->bins[0];
    for (size_t t = 0; t < 2 * rows + 1; t++)
        for (size_t kind = 0; kind < 3; kind++) {
            float *y = planes + (t % 2 * 3 + kind) * s.plane + t / 2 * s.row;
            for (size_t f = 0; f < embed->bins[2]; f++)
                kernels->conv3x3(y + f * d_model, x + 2 * t * bins + 2 * (2 * f + kind), bins, taps,
                                 embed->conv_bias[0], d_model);
        }
}

static void relu_to_channels_first(float *y, const float *x, const float *bias, size_t channels,
                                   size_t bins) {
    for (size_t f = 0; f < bins; f++)
        for (size_t c = 0; c < channels; c++) {
            float sum = x[f * channels + c] + bias[c];
            y[c * bins + f] = sum < 0.0f ? 0.0f : sum;
        }
}

static void subsample(float *y, const float *x, const attn_embed *embed, size_t rows, const float *packed,
                      attn_arena arena) {
    plane_shape s = shape_planes(embed, rows);
    size_t d = embed->out.out, bins = embed->bins[2];
    const float *second = packed + 9 * d;
    subsample_buffers b = subsample_layout(&arena, &s, rows);
    first_convolution(b.planes, x, embed, rows, packed);
    for (size_t tap = 0; tap < 9; tap++) {
        size_t dt = tap / 3, df = tap % 3;
        const float *from = b.planes + (dt % 2 * 3 + df) * s.plane + dt / 2 * s.row;
        attn_gemm_nt(rows * bins, d, d, 1.0f, from, d, second + tap * d * d, d, tap ? 1.0f : 0.0f, b.sums, d);
    }
    for (size_t r = 0; r < rows; r++)
        relu_to_channels_first(y + r * s.row, b.sums + r * s.row, embed->conv_bias[1], d, bins);
}

#define FAST_OPS(linear_)                                                                                    \
    {                                                                                                        \
        .packs = true, .linear = linear_, .layer_norm = layer_norm, .swish = swish, .gelu = gelu,            \
        .glu = glu, .multiply = multiply, .add_scaled = add_scaled, .depthwise = depthwise,                  \
        .subsample = subsample, .subsample_peak = subsample_peak                                             \
    }
const attn_encoder_ops attn_encoder_blas = FAST_OPS(attn_linear_blas);
const attn_encoder_ops attn_encoder_fast = FAST_OPS(attn_linear_fast);
