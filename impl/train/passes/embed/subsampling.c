/* m = max(0, conv(x) + b), y = max(0, P W^T + c), P the patches of m, a row a position:
 * dz = dy where y > 0, dW += dz^T P, dc += sum of dz's rows, dP = dz W, and dm sums dP over the patches that hold
 * an element; the first convolution likewise. */
#include "impl/train/passes/embed/subsampling.h"

#include "impl/train/passes/rows.h"

#include <string.h>

enum { POSITIONS = 256 }; /* of the second convolution, least that a tile has */

static size_t tile_frames(const attn_subsampling_scratch *s) {
    return (POSITIONS + s->bins[2] - 1) / s->bins[2];
}

void attn_train_subsampling_layout(attn_subsampling_scratch *s, const attn_embed *w, attn_arena *scratch) {
    size_t n = w->out.out;
    *s = (attn_subsampling_scratch){.channels = n, .bins = {w->bins[0], w->bins[1], w->bins[2]}};
    size_t tile = tile_frames(s);
    s->dbias = attn_arena_reals(scratch, 2, n);
    s->taps = attn_arena_reals(scratch, 9, n);
    s->dtaps = attn_arena_reals(scratch, 9, n);
    s->packed = attn_arena_reals(scratch, n, 9 * n);
    s->dpacked = attn_arena_reals(scratch, n, 9 * n);
    s->patches = attn_arena_reals(scratch, tile * s->bins[2], 9 * n);
    s->middle = attn_arena_reals(scratch, (2 * tile + 1) * s->bins[1], n);
    s->dmiddle = attn_arena_reals(scratch, (2 * tile + 1) * s->bins[1], n);
    s->tile = attn_arena_reals(scratch, tile * s->bins[2], n);
    s->swapped = attn_arena_reals(scratch, tile * s->bins[2], n);
}

void attn_train_subsampling_begin(attn_subsampling_scratch *s, const attn_embed *w) {
    size_t n = s->channels;
    const attn_real *first = attn_values(w->conv_weight[0]), *second = attn_values(w->conv_weight[1]);
    for (size_t o = 0; o < n; o++)
        for (size_t tap = 0; tap < 9; tap++) {
            s->taps[tap * n + o] = first[o * 9 + tap];
            for (size_t i = 0; i < n; i++)
                s->packed[(o * 9 + tap) * n + i] = second[(o * n + i) * 9 + tap];
        }
    memset(s->dbias, 0, 2 * n * sizeof *s->dbias);
    memset(s->dtaps, 0, 9 * n * sizeof *s->dtaps);
    memset(s->dpacked, 0, n * 9 * n * sizeof *s->dpacked);
}

void attn_train_subsampling_end(const attn_subsampling_scratch *s, const attn_embed *dw) {
    size_t n = s->channels;
    attn_real *first = attn_gradients(dw->conv_weight[0]), *second = attn_gradients(dw->conv_weight[1]);
    for (size_t i = 0; i < 2; i++)
        attn_train_rows()->add(attn_gradients(dw->conv_bias[i]), s->dbias + i * n, n, 1);
    for (size_t o = 0; o < n; o++)
        for (size_t tap = 0; tap < 9; tap++) {
            first[o * 9 + tap] += s->dtaps[tap * n + o];
            for (size_t i = 0; i < n; i++)
                second[(o * n + i) * 9 + tap] += s->dpacked[(o * 9 + tap) * n + i];
        }
}

/* The frames 0 .. 2 frames of the middle, from x. */
static void make_middle(const attn_real *x, const attn_subsampling_scratch *s, const attn_embed *w,
                        size_t frames) {
    const attn_train_row_kernels *k = attn_train_rows();
    for (size_t t = 0; t < 2 * frames + 1; t++)
        k->conv3x3(s->middle + t * s->bins[1] * s->channels, x + 2 * t * s->bins[0], s->bins[0], s->taps,
                   attn_values(w->conv_bias[0]), s->bins[1], s->channels);
}

/* A patch is 3 stretches of 3 bins. */
static void gather(const attn_subsampling_scratch *s, size_t frames) {
    size_t stretch = 3 * s->channels, row = s->bins[1] * s->channels;
    attn_real *to = s->patches;
    for (size_t t = 0; t < frames; t++)
        for (size_t f = 0; f < s->bins[2]; f++)
            for (size_t i = 0; i < 3; i++, to += stretch)
                memcpy(to, s->middle + (2 * t + i) * row + 2 * f * s->channels, stretch * sizeof *to);
}

static void scatter(const attn_subsampling_scratch *s, size_t frames) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t stretch = 3 * s->channels, row = s->bins[1] * s->channels;
    const attn_real *from = s->patches;
    for (size_t t = 0; t < frames; t++)
        for (size_t f = 0; f < s->bins[2]; f++)
            for (size_t i = 0; i < 3; i++, from += stretch)
                k->add(s->dmiddle + (2 * t + i) * row + 2 * f * s->channels, from, stretch, 1);
}

/* to [rows, b, a] from [rows, a, b]. */
static void swap(attn_real *restrict to, const attn_real *restrict from, size_t rows, size_t a, size_t b) {
    for (size_t r = 0; r < rows; r++, to += a * b, from += a * b)
        for (size_t i = 0; i < a; i++)
            for (size_t j = 0; j < b; j++)
                to[j * a + i] = from[i * b + j];
}

void attn_train_subsampling(attn_real *y, const attn_real *x, const attn_subsampling_scratch *s,
                            const attn_embed *w, size_t frames) {
    size_t n = s->channels, depth = 9 * n, tile = tile_frames(s);
    for (size_t t = 0; t < frames; t += tile) {
        size_t some = attn_smaller(tile, frames - t), positions = some * s->bins[2];
        make_middle(x + 4 * t * s->bins[0], s, w, some);
        gather(s, some);
        attn_real_gemm_nt(positions, n, depth, 1, s->patches, depth, s->packed, depth, 0, s->tile, n);
        attn_train_rows()->bias_relu(s->tile, attn_values(w->conv_bias[1]), positions, n);
        swap(y + t * s->bins[2] * n, s->tile, some, s->bins[2], n);
    }
}

/* From dmiddle, which is whole, of the frames of the middle that begin with x. */
static void first_backward(const attn_real *x, const attn_subsampling_scratch *s, size_t frames) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t row = s->bins[1] * s->channels;
    k->relu_backward(s->dmiddle, s->dbias, s->middle, frames * s->bins[1], s->channels);
    for (size_t t = 0; t < frames; t++)
        k->conv3x3_backward(s->dtaps, s->dmiddle + t * row, x + 2 * t * s->bins[0], s->bins[0], s->bins[1],
                            s->channels);
}

/* s->tile = the gradient before the ReLU, from that behind embed.out.0, with the channel last. */
static void second_gradient(const attn_real *dh, const attn_real *y, const attn_subsampling_scratch *s,
                            const attn_embed *w, size_t frames) {
    size_t width = w->out.in;
    attn_real_gemm_nn(frames, width, w->out.out, 1, dh, w->out.out, attn_values(w->out.weight), width, 0,
                      s->swapped, width);
    for (size_t i = 0; i < frames * width; i++)
        s->swapped[i] = y[i] > 0 ? s->swapped[i] : 0;
    swap(s->tile, s->swapped, frames, s->channels, s->bins[2]);
}

void attn_train_subsampling_backward(const attn_real *dh, const attn_real *y, const attn_real *x,
                                     const attn_subsampling_scratch *s, const attn_embed *w, size_t frames) {
    size_t n = s->channels, depth = 9 * n, tile = tile_frames(s), row = s->bins[1] * n;
    memset(s->dmiddle, 0, row * sizeof *s->dmiddle);
    for (size_t t = 0; t < frames; t += tile) {
        size_t some = attn_smaller(tile, frames - t), positions = some * s->bins[2];
        const attn_real *from = x + 4 * t * s->bins[0];
        make_middle(from, s, w, some);
        gather(s, some);
        second_gradient(dh + t * w->out.out, y + t * w->out.in, s, w, some);
        attn_train_rows()->add_columns(s->dbias + n, s->tile, positions, n);
        attn_real_gemm_tn(n, depth, positions, 1, s->tile, n, s->patches, depth, 1, s->dpacked, depth);
        attn_real_gemm_nn(positions, depth, n, 1, s->tile, n, s->packed, depth, 0, s->patches, depth);
        memset(s->dmiddle + row, 0, 2 * some * row * sizeof *s->dmiddle);
        scatter(s, some);
        first_backward(from, s, t + some < frames ? 2 * some : 2 * some + 1);
        /* The tile's last frame of the middle is the next one's first, and gets the rest there. */
        memcpy(s->dmiddle, s->dmiddle + 2 * some * row, row * sizeof *s->dmiddle);
    }
}
