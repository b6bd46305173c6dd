/* h = sqrt(d) input_layer((x - mean) istd) + positions, then dropout; the features get no gradient. */
#include "impl/train/passes/embed.h"

#include <math.h>
#include <string.h>

static bool is_conv2d(const attn_pass *pass) {
    return pass->config->input_layer == ATTN_INPUT_CONV2D;
}

static attn_conv2d conv_layout(const attn_embed *w, size_t i, attn_arena *scratch) {
    attn_conv2d c = {
        .out = w->out.out, .in = i ? w->out.out : 1, .bins = w->bins[i], .width = w->bins[i + 1]};
    c.packed = attn_arena_reals(scratch, c.out, 9 * c.in);
    c.dpacked = attn_arena_reals(scratch, c.out, 9 * c.in);
    c.patches = attn_arena_reals(scratch, attn_conv2d_tile(&c), 9 * c.in);
    return c;
}

static void conv2d_layout(attn_embed_tape *tape, const attn_embed *w, const attn_pass *pass,
                          attn_layouts *at) {
    const attn_ragged *rows[2] = {&pass->middle, &pass->rows};
    for (size_t i = 0; i < 2; i++) {
        tape->convolved[i] = attn_arena_reals(&at->keep, rows[i]->rows, w->bins[i + 1] * w->out.out);
        tape->dconvolved[i] = attn_arena_reals(&at->scratch, rows[i]->rows, w->bins[i + 1] * w->out.out);
        tape->conv[i] = conv_layout(w, i, &at->scratch);
    }
    tape->out = tape->dout = (attn_linear){.out = w->out.out, .in = w->out.in};
    tape->out.weight = (void *)attn_arena_reals(&at->scratch, w->out.out, w->out.in);
    tape->dout.weight = (void *)attn_arena_reals(&at->scratch, w->out.out, w->out.in);
}

void attn_train_embed_layout(attn_embed_tape *tape, const attn_embed *w, const attn_pass *pass,
                             attn_layouts *at) {
    size_t d_model = pass->config->attention.d_model, mark = attn_arena_mark(&at->scratch);
    *tape = (attn_embed_tape){.x = attn_arena_reals(&at->keep, pass->input.rows, pass->config->input_dim)};
    if (is_conv2d(pass))
        conv2d_layout(tape, w, pass, at);
    if (w->has_norm) {
        attn_train_layer_norm_layout(&tape->norm, pass->rows.rows, d_model, at);
        tape->linear = attn_arena_reals(&at->scratch, pass->rows.rows, d_model);
        tape->dlinear = attn_arena_reals(&at->scratch, pass->rows.rows, d_model);
    }
    attn_arena_release(&at->scratch, mark);
}

static void take_features(attn_embed_tape *tape, const float *x, size_t frames, const attn_embed *w,
                          const attn_pass *pass) {
    size_t dim = pass->config->input_dim;
    const attn_real *mean = attn_values(w->cmvn_mean), *istd = attn_values(w->cmvn_istd);
    for (size_t u = 0; u < pass->input.utterances; u++) {
        const float *from = x + u * frames * dim;
        attn_real *to = tape->x + pass->input.start[u] * dim;
        for (size_t i = 0; i < attn_ragged_length(&pass->input, u) * dim; i++)
            to[i] = w->has_cmvn ? (from[i] - mean[i % dim]) * istd[i % dim] : from[i];
    }
}

/* Adds a [rows, a, b] to [rows, b, a]. Columns of embed.out.0 are [channel, bin] in checkpoints, [bin,
 * channel] here. */
static void add_swapped(attn_real *to, const attn_real *from, size_t rows, size_t a, size_t b) {
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < a; i++)
            for (size_t j = 0; j < b; j++)
                to[(r * b + j) * a + i] += from[(r * a + i) * b + j];
}

static void pack(attn_embed_tape *tape, const attn_embed *w) {
    for (size_t i = 0; i < 2; i++)
        attn_conv2d_pack(&tape->conv[i], attn_values(w->conv_weight[i]));
    memset(tape->out.weight, 0, w->out.out * w->out.in * sizeof(attn_real));
    add_swapped(attn_gradients(tape->out.weight), attn_values(w->out.weight), w->out.out, w->out.out,
                w->bins[2]);
    tape->out.bias = w->out.bias;
}

/* One utterance's part of what is before and after a convolution. */
static attn_real *part(attn_real *rows, const attn_ragged *of, size_t u, size_t width) {
    return rows + of->start[u] * width;
}

static void subsample(attn_real *y, attn_embed_tape *tape, const attn_embed *w, const attn_pass *pass) {
    size_t width[3] = {w->bins[0], w->bins[1] * w->out.out, w->bins[2] * w->out.out};
    pack(tape, w);
    for (size_t u = 0; u < pass->rows.utterances; u++) {
        size_t frames = attn_ragged_length(&pass->rows, u);
        attn_real *middle = part(tape->convolved[0], &pass->middle, u, width[1]);
        if (!frames)
            continue;
        attn_conv2d_forward(middle, part(tape->x, &pass->input, u, width[0]), &tape->conv[0],
                            attn_values(w->conv_bias[0]), 2 * frames + 1);
        attn_conv2d_forward(part(tape->convolved[1], &pass->rows, u, width[2]), middle, &tape->conv[1],
                            attn_values(w->conv_bias[1]), frames);
    }
    attn_train_linear(y, tape->convolved[1], &tape->out, pass->rows.rows);
}

static void subsample_backward(const attn_real *dy, attn_embed_tape *tape, const attn_embed *w,
                               const attn_embed *dw, const attn_pass *pass) {
    size_t width[3] = {w->bins[0], w->bins[1] * w->out.out, w->bins[2] * w->out.out};
    attn_real *const *y = tape->convolved, *const *d = tape->dconvolved;
    pack(tape, w);
    for (size_t i = 0; i < 2; i++)
        memset(tape->conv[i].dpacked, 0, tape->conv[i].out * 9 * tape->conv[i].in * sizeof(attn_real));
    memset(tape->dout.weight, 0, w->out.out * w->out.in * sizeof(attn_real));
    memset(d[0], 0, pass->middle.rows * width[1] * sizeof(attn_real));
    tape->dout.bias = dw->out.bias;
    attn_train_linear_backward(d[1], 0, dy, y[1], &tape->out, &tape->dout, pass->rows.rows);
    for (size_t u = 0; u < pass->rows.utterances; u++) {
        size_t frames = attn_ragged_length(&pass->rows, u);
        attn_real *middle = part(y[0], &pass->middle, u, width[1]);
        attn_real *dmiddle = part(d[0], &pass->middle, u, width[1]);
        if (!frames)
            continue;
        attn_conv2d_backward(dmiddle, attn_gradients(dw->conv_bias[1]), part(d[1], &pass->rows, u, width[2]),
                             part(y[1], &pass->rows, u, width[2]), middle, &tape->conv[1], frames);
        attn_conv2d_backward(NULL, attn_gradients(dw->conv_bias[0]), dmiddle, middle,
                             part(tape->x, &pass->input, u, width[0]), &tape->conv[0], 2 * frames + 1);
    }
    for (size_t i = 0; i < 2; i++)
        attn_conv2d_add_gradient(&tape->conv[i], attn_gradients(dw->conv_weight[i]));
    add_swapped(attn_gradients(dw->out.weight), attn_values(tape->dout.weight), w->out.out, w->bins[2],
                w->out.out);
}

static attn_real scale_of(const attn_pass *pass) {
    bool scales =
        pass->config->model_type != ATTN_MODEL_ATTENTION && pass->config->attention.pos_enc != ATTN_POS_NONE;
    return scales ? (attn_real)sqrt((double)pass->config->attention.d_model) : 1;
}

static void add_positions(attn_real *h, const attn_pass *pass) {
    size_t d_model = pass->config->attention.d_model;
    for (size_t i = 0; pass->config->attention.pos_enc == ATTN_POS_ABS && i < d_model; i++) {
        double step = pow(10000.0, -2.0 * (double)(i / 2) / (double)d_model);
        for (size_t u = 0; u < pass->rows.utterances; u++)
            for (size_t t = 0; t < attn_ragged_length(&pass->rows, u); t++) {
                double angle = (double)t * step;
                h[(pass->rows.start[u] + t) * d_model + i] += (attn_real)(i & 1 ? cos(angle) : sin(angle));
            }
    }
}

void attn_train_embed(attn_real *h, attn_embed_tape *tape, const float *x, size_t frames, const attn_embed *w,
                      const attn_pass *pass) {
    size_t rows = pass->rows.rows, count = rows * pass->config->attention.d_model;
    attn_real *y = w->has_norm ? tape->linear : h, scale = scale_of(pass);
    take_features(tape, x, frames, w, pass);
    if (is_conv2d(pass))
        subsample(y, tape, w, pass);
    else if (pass->config->input_layer == ATTN_INPUT_LINEAR)
        attn_train_linear(y, tape->x, &w->out, rows);
    else
        memcpy(y, tape->x, count * sizeof *y);
    if (w->has_norm)
        attn_train_layer_norm(h, &tape->norm, y, &w->norm, rows, pass->config->layer_norm_eps);
    for (size_t i = 0; i < count; i++)
        h[i] *= scale;
    add_positions(h, pass);
    attn_train_dropout(h, count, ATTN_DROP_EMBED, 0, pass);
}

void attn_train_embed_backward(attn_real *dh, attn_embed_tape *tape, const attn_embed *w,
                               const attn_embed *dw, const attn_pass *pass) {
    size_t rows = pass->rows.rows, count = rows * pass->config->attention.d_model;
    attn_real *dy = dh, scale = scale_of(pass);
    attn_train_dropout(dh, count, ATTN_DROP_EMBED, 0, pass);
    for (size_t i = 0; i < count; i++)
        dh[i] *= scale;
    if (w->has_norm) {
        dy = tape->dlinear;
        memset(dy, 0, count * sizeof *dy);
        attn_train_layer_norm_backward(dy, dh, &tape->norm, &w->norm, &dw->norm, rows);
    }
    if (is_conv2d(pass))
        subsample_backward(dy, tape, w, dw, pass);
    else if (pass->config->input_layer == ATTN_INPUT_LINEAR)
        attn_train_linear_backward(NULL, 0, dy, tape->x, &w->out, &dw->out, rows);
}
