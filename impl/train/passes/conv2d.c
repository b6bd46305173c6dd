/* y = max(0, P W^T + b), P the patches of x, a row a position:
 * dz = dy where y > 0, dW += dz^T P, db += sum of dz's rows, dP = dz W, and dx sums dP over the patches that
 * hold an element. */
#include "impl/train/passes/conv2d.h"

#include "impl/train/passes/rows.h"

#include <string.h>

/* Whole frames that are worked on together. */
static size_t tile_frames(const attn_conv2d *c) {
    return (ATTN_CONV2D_ROWS + c->width - 1) / c->width;
}

size_t attn_conv2d_tile(const attn_conv2d *c) {
    return tile_frames(c) * c->width;
}

void attn_conv2d_pack(attn_conv2d *c, const attn_real *weight) {
    for (size_t o = 0; o < c->out; o++)
        for (size_t i = 0; i < c->in; i++)
            for (size_t tap = 0; tap < 9; tap++)
                c->packed[(o * 9 + tap) * c->in + i] = weight[(o * c->in + i) * 9 + tap];
}

void attn_conv2d_add_gradient(const attn_conv2d *c, attn_real *dweight) {
    for (size_t o = 0; o < c->out; o++)
        for (size_t i = 0; i < c->in; i++)
            for (size_t tap = 0; tap < 9; tap++)
                dweight[(o * c->in + i) * 9 + tap] += c->dpacked[(o * 9 + tap) * c->in + i];
}

/* A patch is 3 stretches of 3 bins. */
static void gather(attn_real *patches, const attn_real *x, const attn_conv2d *c, size_t frames) {
    size_t stretch = 3 * c->in;
    for (size_t t = 0; t < frames; t++)
        for (size_t f = 0; f < c->width; f++)
            for (size_t i = 0; i < 3; i++, patches += stretch)
                memcpy(patches, x + ((2 * t + i) * c->bins + 2 * f) * c->in, stretch * sizeof *x);
}

static void scatter(attn_real *dx, const attn_real *patches, const attn_conv2d *c, size_t frames) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t stretch = 3 * c->in;
    for (size_t t = 0; t < frames; t++)
        for (size_t f = 0; f < c->width; f++)
            for (size_t i = 0; i < 3; i++, patches += stretch)
                k->add(dx + ((2 * t + i) * c->bins + 2 * f) * c->in, patches, stretch, 1);
}

void attn_conv2d_forward(attn_real *y, const attn_real *x, const attn_conv2d *c, const attn_real *bias,
                         size_t frames) {
    size_t step = tile_frames(c), depth = 9 * c->in;
    for (size_t t = 0; t < frames; t += step) {
        size_t some = frames - t < step ? frames - t : step, rows = some * c->width;
        attn_real *to = y + t * c->width * c->out;
        gather(c->patches, x + 2 * t * c->bins * c->in, c, some);
        attn_real_gemm_nt(rows, c->out, depth, 1, c->patches, depth, c->packed, depth, 0, to, c->out);
        for (size_t r = 0; r < rows; r++)
            attn_train_rows()->bias_relu(to + r * c->out, bias, c->out);
    }
}

void attn_conv2d_backward(attn_real *dx, attn_real *dbias, attn_real *dy, const attn_real *y,
                          const attn_real *x, const attn_conv2d *c, size_t frames) {
    size_t step = tile_frames(c), depth = 9 * c->in;
    for (size_t t = 0; t < frames; t += step) {
        size_t some = frames - t < step ? frames - t : step, rows = some * c->width;
        size_t at = t * c->width * c->out;
        attn_train_rows()->relu_backward(dy + at, y + at, rows * c->out);
        attn_train_rows()->add_columns(dbias, dy + at, rows, c->out);
        gather(c->patches, x + 2 * t * c->bins * c->in, c, some);
        attn_real_gemm_tn(c->out, depth, rows, 1, dy + at, c->out, c->patches, depth, 1, c->dpacked, depth);
        if (!dx)
            continue;
        attn_real_gemm_nn(rows, depth, c->out, 1, dy + at, c->out, c->packed, depth, 0, c->patches, depth);
        scatter(dx + 2 * t * c->bins * c->in, c->patches, c, some);
    }
}
