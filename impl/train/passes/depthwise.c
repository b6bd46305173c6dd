/* A depthwise convolution along time: y[t] = b + sum_j x[t + j - left] w[j], each channel by itself.
 * dx[t + j - left] += dy[t] w[j], dw[j] += dy[t] x[t + j - left], db += dy[t]. */
#include "impl/train/passes/pass.h"

#include <string.h>

void attn_train_depthwise_layout(attn_depthwise_tape *tape, size_t channels, const attn_train_pass *pass,
                                 attn_layouts *at) {
    size_t kernel = pass->config->conv_kernel_size;
    size_t rows = pass->rows.rows + pass->rows.utterances * (kernel - 1);
    tape->padded = attn_arena_reals(&at->keep, rows, channels);
    tape->dpadded = attn_arena_reals(&at->scratch, rows, channels);
    tape->taps = attn_arena_reals(&at->scratch, kernel, channels);
    tape->dtaps = attn_arena_reals(&at->scratch, kernel, channels);
}

size_t attn_train_padded_start(const attn_train_pass *pass, size_t u) {
    return pass->rows.start[u] + u * (pass->config->conv_kernel_size - 1);
}

void attn_train_depthwise_pad(attn_depthwise_tape *tape, const attn_real *x, const attn_real *before,
                              size_t channels, const attn_train_pass *pass) {
    size_t left = attn_left_context(pass->config), right = attn_right_context(pass->config);
    for (size_t u = 0; u < pass->rows.utterances; u++) {
        size_t length = attn_ragged_length(&pass->rows, u);
        attn_real *to = tape->padded + attn_train_padded_start(pass, u) * channels;
        for (size_t r = 0; r < left; r++, to += channels)
            if (before)
                memcpy(to, before, channels * sizeof *to);
            else
                memset(to, 0, channels * sizeof *to);
        memcpy(to, x + pass->rows.start[u] * channels, length * channels * sizeof *to);
        memset(to + length * channels, 0, right * channels * sizeof *to);
    }
}

/* taps [kernel, channels] from weight [channels, kernel]. */
static void lay_taps(attn_real *taps, const attn_depthwise *w) {
    const attn_real *weight = attn_values(w->weight);
    for (size_t c = 0; c < w->channels; c++)
        for (size_t j = 0; j < w->kernel; j++)
            taps[j * w->channels + c] = weight[c * w->kernel + j];
}

void attn_train_depthwise(attn_real *y, attn_depthwise_tape *tape, const attn_depthwise *w,
                          const attn_train_pass *pass) {
    lay_taps(tape->taps, w);
    for (size_t u = 0; u < pass->rows.utterances; u++)
        attn_train_rows()->depthwise(y + pass->rows.start[u] * w->channels,
                                     tape->padded + attn_train_padded_start(pass, u) * w->channels,
                                     tape->taps, attn_values(w->bias), attn_ragged_length(&pass->rows, u),
                                     w->channels, w->kernel);
}

static void add_taps(attn_real *dweight, const attn_real *dtaps, const attn_depthwise *w) {
    for (size_t c = 0; c < w->channels; c++)
        for (size_t j = 0; j < w->kernel; j++)
            dweight[c * w->kernel + j] += dtaps[j * w->channels + c];
}

void attn_train_depthwise_backward(attn_real *dx, attn_real *dbefore, const attn_real *dy,
                                   attn_depthwise_tape *tape, const attn_depthwise *w,
                                   const attn_depthwise *dw, const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t n = w->channels, left = attn_left_context(pass->config);
    lay_taps(tape->taps, w);
    memset(tape->dtaps, 0, w->kernel * n * sizeof *dx);
    memset(tape->dpadded, 0, attn_train_padded_start(pass, pass->rows.utterances) * n * sizeof *dx);
    for (size_t u = 0; u < pass->rows.utterances; u++) {
        size_t length = attn_ragged_length(&pass->rows, u), at = attn_train_padded_start(pass, u) * n;
        k->depthwise_backward(tape->dpadded + at, tape->dtaps, dy + pass->rows.start[u] * n,
                              tape->padded + at, tape->taps, length, n, w->kernel);
        if (dbefore)
            k->add_columns(dbefore, tape->dpadded + at, left, n);
        memcpy(dx + pass->rows.start[u] * n, tape->dpadded + at + left * n, length * n * sizeof *dx);
    }
    add_taps(attn_gradients(dw->weight), tape->dtaps, w);
    k->add_columns(attn_gradients(dw->bias), dy, pass->rows.rows, n);
}
