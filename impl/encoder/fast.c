/* Matrix products and vectorised rows behind the parts, on the threads in use. */
#include "impl/encoder/encoder.h"

#include "attn/threads.h"
#include "impl/encoder/subsample_fast.h"
#include "impl/kernels/encoder_rows.h"
#include "impl/kernels/kernels.h"

enum {
    LEAST_FLOATS = 1 << 13, /* worth sharing */
    CUT = 64                /* floats of flat arrays: that many stay together */
};

/* Arguments of an operation: what it does not take stays 0. */
typedef struct operation {
    float *y;
    const float *x;
    size_t count; /* rows, or floats of flat arrays */
    size_t width;
    const attn_norm *norm;
    float eps, factor;
    const attn_depthwise *depthwise;
    const float *taps;
} operation;

static void share(attn_share_function *work, operation o, size_t floats) {
    if (floats < LEAST_FLOATS)
        work(&o, 0, 1);
    else
        attn_share(work, &o);
}

static void layer_norm_part(void *context, size_t part, size_t parts) {
    const operation *o = context;
    const attn_encoder_row_kernels *kernels = attn_encoder_rows();
    attn_range rows = attn_part_range(o->count, 1, part, parts);
    size_t n = o->norm->width;
    for (size_t r = rows.begin; r < rows.end; r++)
        kernels->layer_norm(o->y + r * n, o->x + r * n, o->norm->weight, o->norm->bias, n, o->eps);
}

static void layer_norm(float *y, const float *x, const attn_norm *norm, size_t rows, double eps) {
    share(layer_norm_part, (operation){.y = y, .x = x, .count = rows, .norm = norm, .eps = (float)eps},
          rows * norm->width);
}

static void swish_part(void *context, size_t part, size_t parts) {
    const operation *o = context;
    attn_range range = attn_part_range(o->count, CUT, part, parts);
    attn_encoder_rows()->swish(o->y + range.begin, range.end - range.begin);
}

static void swish(float *x, size_t count) {
    share(swish_part, (operation){.y = x, .count = count}, count);
}

static void gelu_part(void *context, size_t part, size_t parts) {
    const operation *o = context;
    attn_range range = attn_part_range(o->count, CUT, part, parts);
    attn_encoder_rows()->gelu(o->y + range.begin, range.end - range.begin);
}

static void gelu(float *x, size_t count) {
    share(gelu_part, (operation){.y = x, .count = count}, count);
}

static void glu_part(void *context, size_t part, size_t parts) {
    const operation *o = context;
    const attn_encoder_row_kernels *kernels = attn_encoder_rows();
    attn_range rows = attn_part_range(o->count, 1, part, parts);
    for (size_t r = rows.begin; r < rows.end; r++)
        kernels->glu(o->y + r * o->width, o->x + 2 * r * o->width, o->width);
}

static void glu(float *y, const float *x, size_t rows, size_t width) {
    share(glu_part, (operation){.y = y, .x = x, .count = rows, .width = width}, rows * width);
}

static void multiply_part(void *context, size_t part, size_t parts) {
    const operation *o = context;
    attn_range range = attn_part_range(o->count, CUT, part, parts);
    attn_encoder_rows()->multiply(o->y + range.begin, o->x + range.begin, range.end - range.begin);
}

static void multiply(float *y, const float *x, size_t count) {
    share(multiply_part, (operation){.y = y, .x = x, .count = count}, count);
}

static void add_scaled_part(void *context, size_t part, size_t parts) {
    const operation *o = context;
    attn_range range = attn_part_range(o->count, CUT, part, parts);
    attn_encoder_rows()->add_scaled(o->y + range.begin, o->x + range.begin, range.end - range.begin,
                                    o->factor);
}

static void add_scaled(float *y, const float *x, size_t count, float factor) {
    share(add_scaled_part, (operation){.y = y, .x = x, .count = count, .factor = factor}, count);
}

static void depthwise_part(void *context, size_t part, size_t parts) {
    const operation *o = context;
    const attn_depthwise *w = o->depthwise;
    attn_range rows = attn_part_range(o->count, 1, part, parts);
    attn_encoder_rows()->depthwise(o->y + rows.begin * w->channels, o->x + rows.begin * w->channels, o->taps,
                                   w->bias, rows.end - rows.begin, w->channels, w->kernel);
}

static void depthwise(float *y, const float *x, const attn_depthwise *w, size_t rows, const float *taps) {
    share(depthwise_part, (operation){.y = y, .x = x, .count = rows, .depthwise = w, .taps = taps},
          rows * w->channels * w->kernel / 4);
}

#define FAST_OPS(linear_)                                                                                    \
    {                                                                                                        \
        .packs = true, .linear = linear_, .layer_norm = layer_norm, .swish = swish, .gelu = gelu,            \
        .glu = glu, .multiply = multiply, .add_scaled = add_scaled, .depthwise = depthwise,                  \
        .subsample = attn_subsample_fast, .subsample_peak = attn_subsample_fast_peak                         \
    }
const attn_encoder_ops attn_encoder_blas = FAST_OPS(attn_linear_blas);
const attn_encoder_ops attn_encoder_fast = FAST_OPS(attn_linear_fast);
