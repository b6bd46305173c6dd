#include "impl/encoder/subsample_fast.h"

#include "attn/threads.h"
#include "impl/kernels/attend.h"
#include "impl/kernels/encoder_rows.h"
#include "impl/kernels/kernels.h"
#include "impl/kernels/panels.h"

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

size_t attn_subsample_fast_peak(const attn_embed *embed, size_t rows, attn_arena arena) {
    plane_shape s = shape_planes(embed, rows);
    subsample_layout(&arena, &s, rows);
    return arena.peak;
}

/* Floats of a tap of the second convolution, [d_model (out), d_model (in)]: as it is, or in panels. */
static size_t tap_floats(size_t d_model) {
    return attn_panels_pay() ? attn_panels_floats(d_model, d_model) : d_model * d_model;
}

size_t attn_subsampling_packed_floats(const attn_embed *embed) {
    size_t d_model = embed->out.out;
    return 9 * d_model + 9 * tap_floats(d_model);
}

/* [9, d_model] of the first, then the 9 taps of the second. */
void attn_subsampling_pack(float *packed, const attn_embed *embed) {
    size_t d = embed->out.out;
    for (size_t o = 0; o < d; o++)
        for (size_t tap = 0; tap < 9; tap++)
            packed[tap * d + o] = embed->conv_weight[0][o * 9 + tap];
    for (size_t tap = 0; tap < 9; tap++) {
        float *second = packed + 9 * d + tap * tap_floats(d);
        const float *weight = embed->conv_weight[1] + tap;
        if (attn_panels_pay())
            attn_panels_fill(second, weight, 9 * d, 9, d, d);
        else
            for (size_t i = 0; i < d * d; i++)
                second[i] = weight[9 * i];
    }
}

/* Of one call. */
typedef struct subsample_work {
    float *y;
    const float *x, *packed;
    const attn_embed *embed;
    size_t rows;
    plane_shape shape;
    subsample_buffers buffers;
} subsample_work;

/* A part has some of the frames that it gives. */
static void first_convolution(void *context, size_t part, size_t parts) {
    const subsample_work *w = context;
    const attn_encoder_row_kernels *kernels = attn_encoder_rows();
    const attn_embed *embed = w->embed;
    size_t d_model = embed->out.out, bins = embed->bins[0];
    attn_range frames = attn_part_range(2 * w->rows + 1, 1, part, parts);
    for (size_t t = frames.begin; t < frames.end; t++)
        for (size_t kind = 0; kind < 3; kind++) {
            float *y = w->buffers.planes + (t % 2 * 3 + kind) * w->shape.plane + t / 2 * w->shape.row;
            for (size_t f = 0; f < embed->bins[2]; f++)
                kernels->conv3x3(y + f * d_model, w->x + 2 * t * bins + 2 * (2 * f + kind), bins, w->packed,
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

static void second_convolution(void *context, size_t part, size_t parts) {
    const subsample_work *w = context;
    size_t d = w->embed->out.out, bins = w->embed->bins[2], row = w->shape.row;
    attn_range frames = attn_part_range(w->rows, 1, part, parts);
    float *sums = w->buffers.sums + frames.begin * row;
    for (size_t tap = 0; tap < 9; tap++) {
        size_t dt = tap / 3, df = tap % 3;
        const float *from =
            w->buffers.planes + (dt % 2 * 3 + df) * w->shape.plane + (dt / 2 + frames.begin) * row;
        const float *taps = w->packed + 9 * d + tap * tap_floats(d);
        size_t count = (frames.end - frames.begin) * bins;
        if (attn_panels_pay())
            attn_attend()->linear_panels(sums, d, from, d, taps, NULL, tap > 0, count, d, d);
        else
            attn_gemm_nt(count, d, d, 1.0f, from, d, taps, d, tap ? 1.0f : 0.0f, sums, d);
    }
    for (size_t r = frames.begin; r < frames.end; r++)
        relu_to_channels_first(w->y + r * row, w->buffers.sums + r * row, w->embed->conv_bias[1], d, bins);
}

void attn_subsample_fast(float *y, const float *x, const attn_embed *embed, size_t rows, const float *packed,
                         attn_arena arena) {
    subsample_work w = {.y = y, .x = x, .packed = packed, .embed = embed, .rows = rows};
    w.shape = shape_planes(embed, rows);
    w.buffers = subsample_layout(&arena, &w.shape, rows);
    attn_share(first_convolution, &w);
    attn_share(second_convolution, &w);
}
