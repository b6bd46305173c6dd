#include "impl/encoder/subsample_fast.h"

#include "attn/threads.h"
#include "impl/kernels/attend.h"
#include "impl/kernels/encoder_rows.h"
#include "impl/kernels/kernels.h"
#include "impl/kernels/panels.h"

/* The second convolution by Winograd's F(2, 2) in both directions (Lavin and Gray 2016), on the taps 0 and 2 of a
 * filter of stride 2, which see the even inputs; tap 1 sees the odd ones. Of inputs x0 to x4 two outputs are
 *
 *   y0 = (x0 - x2) w0 + x2 (w0 + w2) + x1 w1
 *   y1 = (x4 - x2) w2 + x2 (w0 + w2) + x3 w1
 *
 * five products and not six; in two dimensions 25 and not 36 for a tile of two frames and two bins. Each product is a
 * matrix product over all tiles. An output reads the same inputs as in the plain sum, so that nothing of a frame, and no
 * NaN, comes into an output that does not see it; where it sees an infinite one it may be NaN. The differences and sums
 * round too: in float32, with 256 channels of random numbers, errors are 1.7 times those of the plain sum (root mean
 * square), the largest 2.1 times. */
enum {
    INPUTS = 5, /* of a tile in a direction, as combined above: encoder_rows.h */
    TAPS = 4    /* w0, w0 + w2, w2, w1 */
};
static const size_t tap_of[INPUTS] = {0, 1, 2, 3, 3};

/* Which outputs of the tile a product goes to. */
enum { FIRST, SECOND, BOTH, OUTPUTS };
static const size_t output_of[INPUTS] = {FIRST, BOTH, SECOND, FIRST, SECOND};

typedef struct subsample_buffers {
    float *inputs; /* [INPUTS, INPUTS] planes */
    float *sums;   /* [OUTPUTS, OUTPUTS] planes */
} subsample_buffers;

static size_t half_up(size_t n) {
    return n / 2 + n % 2;
}

/* A plane is [bins / 2, frames / 2, d_model]. */
static size_t plane_floats(const attn_embed *embed, size_t pairs) {
    return half_up(embed->bins[2]) * pairs * embed->out.out;
}

static subsample_buffers subsample_layout(attn_arena *arena, const attn_embed *embed, size_t rows) {
    size_t plane = plane_floats(embed, half_up(rows));
    return (subsample_buffers){.inputs = attn_arena_floats(arena, INPUTS * INPUTS, plane),
                               .sums = attn_arena_floats(arena, OUTPUTS * OUTPUTS, plane)};
}

size_t attn_subsample_fast_peak(const attn_embed *embed, size_t rows, attn_arena arena) {
    subsample_layout(&arena, embed, rows);
    return arena.peak;
}

/* Floats of a tap of the second convolution, [d_model (out), d_model (in)]: as it is, or in panels. */
static size_t tap_floats(size_t d_model) {
    return attn_panels_pay() ? attn_panels_floats(d_model, d_model) : d_model * d_model;
}

size_t attn_subsampling_packed_floats(const attn_embed *embed) {
    size_t d_model = embed->out.out;
    return 9 * d_model + TAPS * TAPS * tap_floats(d_model);
}

static void pack_tap(float *tap, const float *weight, size_t d) {
    if (attn_panels_pay())
        attn_panels_fill(tap, weight, 9 * d, 9, d, d);
    else
        for (size_t i = 0; i < d * d; i++)
            tap[i] = weight[9 * i];
}

static void add_taps(float *sum, const float *a, const float *b, size_t floats) {
    for (size_t i = 0; i < floats; i++)
        sum[i] = a[i] + b[i];
}

/* [9, d_model] of the first, then the taps of the second, [TAPS, TAPS]. */
void attn_subsampling_pack(float *packed, const attn_embed *embed) {
    static const size_t plain[3] = {0, 3, 2}; /* where taps 0, 1 and 2 are */
    size_t d = embed->out.out, floats = tap_floats(d), row = TAPS * floats;
    float *taps = packed + 9 * d;
    for (size_t o = 0; o < d; o++)
        for (size_t tap = 0; tap < 9; tap++)
            packed[tap * d + o] = embed->conv_weight[0][o * 9 + tap];
    for (size_t tap = 0; tap < 9; tap++)
        pack_tap(taps + plain[tap / 3] * row + plain[tap % 3] * floats, embed->conv_weight[1] + tap, d);
    for (size_t i = 0; i < TAPS; i++)
        if (i != 1)
            add_taps(taps + i * row + floats, taps + i * row, taps + i * row + 2 * floats, floats);
    add_taps(taps + row, taps, taps + 2 * row, row);
}

/* Of one call. */
typedef struct subsample_work {
    float *y;
    const float *x, *packed;
    const attn_embed *embed;
    size_t rows;
    subsample_buffers buffers;
} subsample_work;

/* Of some pairs of frames, the first of which is `first`. */
typedef struct pairs {
    size_t first, count, plane;
    float *inputs, *sums;
} pairs;

static void first_convolution(const subsample_work *w, const pairs *p) {
    const attn_encoder_row_kernels *kernels = attn_encoder_rows();
    const attn_embed *embed = w->embed;
    size_t d = embed->out.out, bins = embed->bins[0], last_bin = embed->bins[2] - 1, last_frame = w->rows - 1;
    for (size_t f = 0; f <= last_bin; f += 2)
        for (size_t i = 0; i < p->count; i++) {
            size_t t = 2 * (p->first + i);
            kernels->conv3x3_tile(p->inputs + (f / 2 * p->count + i) * d, p->plane, w->x + 4 * (t * bins + f),
                                  bins, t < last_frame ? 5 : 3, f < last_bin ? 5 : 3, w->packed,
                                  embed->conv_bias[0], d);
        }
}

static void second_convolution(const subsample_work *w, const pairs *p) {
    size_t d = w->embed->out.out, bins = w->embed->bins[2];
    bool started[OUTPUTS][OUTPUTS] = {{false}};
    for (size_t i = 0; i < INPUTS; i++)
        for (size_t j = 0; j < INPUTS; j++) {
            size_t row = output_of[i], column = output_of[j];
            const float *from = p->inputs + (i * INPUTS + j) * p->plane;
            const float *tap = w->packed + 9 * d + (tap_of[i] * TAPS + tap_of[j]) * tap_floats(d);
            float *to = p->sums + (row * OUTPUTS + column) * p->plane;
            size_t count = (column == SECOND ? bins / 2 : half_up(bins)) * p->count;
            if (row == SECOND && w->rows == 1)
                continue;
            if (attn_panels_pay())
                attn_attend()->linear_panels(to, d, from, d, tap, NULL, started[row][column], count, d, d);
            else
                attn_gemm_nt(count, d, d, 1.0f, from, d, tap, d, started[row][column] ? 1.0f : 0.0f, to, d);
            started[row][column] = true;
        }
}

/* Output (t, f) of the tiles, with ReLU: every `bins`-th float of y, channels first. */
static void put_position(float *y, const subsample_work *w, const pairs *p, size_t t, size_t f) {
    size_t d = w->embed->out.out, bins = w->embed->bins[2], a = t % 2, b = f % 2;
    const float *tile = p->sums + (f / 2 * p->count + t / 2) * d, *bias = w->embed->conv_bias[1];
    const float *own = tile + (a * OUTPUTS + b) * p->plane, *right = tile + (a * OUTPUTS + BOTH) * p->plane;
    const float *below = tile + (BOTH * OUTPUTS + b) * p->plane,
                *all = tile + (BOTH * OUTPUTS + BOTH) * p->plane;
    for (size_t c = 0; c < d; c++) {
        float sum = own[c] + right[c] + (below[c] + all[c]) + bias[c];
        y[c * bins + f] = sum < 0.0f ? 0.0f : sum;
    }
}

/* A part has some of the pairs of frames. */
static void subsample_part(void *context, size_t part, size_t parts) {
    const subsample_work *w = context;
    size_t width = w->embed->out.in, before;
    attn_range range = attn_part_range(half_up(w->rows), 1, part, parts);
    pairs p = {.first = range.begin, .count = range.end - range.begin};
    before = plane_floats(w->embed, p.first);
    p.plane = plane_floats(w->embed, p.count);
    p.inputs = w->buffers.inputs + INPUTS * INPUTS * before;
    p.sums = w->buffers.sums + OUTPUTS * OUTPUTS * before;
    first_convolution(w, &p);
    second_convolution(w, &p);
    for (size_t t = 0; t < 2 * p.count && 2 * p.first + t < w->rows; t++)
        for (size_t f = 0; f < w->embed->bins[2]; f++)
            put_position(w->y + (2 * p.first + t) * width, w, &p, t, f);
}

void attn_subsample_fast(float *y, const float *x, const attn_embed *embed, size_t rows, const float *packed,
                         attn_arena arena) {
    subsample_work w = {.y = y, .x = x, .packed = packed, .embed = embed, .rows = rows};
    w.buffers = subsample_layout(&arena, embed, rows);
    if (rows)
        attn_share(subsample_part, &w);
}
