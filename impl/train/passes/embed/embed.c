/* h = sqrt(d) input_layer((x - mean) istd) + positions, then dropout; the features get no gradient. */
#include "impl/train/passes/embed/embed.h"

#include "impl/train/passes/share.h"

#include <math.h>
#include <string.h>

static bool is_conv2d(const attn_train_pass *pass) {
    return pass->config->input_layer == ATTN_INPUT_CONV2D;
}

static void subsampling_layout(attn_embed_tape *tape, const attn_embed *w, attn_layouts *at) {
    size_t threads = attn_threads_in_use();
    tape->subsampling = attn_arena_take(&at->keep, threads, sizeof *tape->subsampling);
    for (size_t i = 0; i < threads; i++) {
        attn_subsampling_scratch measured;
        attn_train_subsampling_layout(tape->subsampling ? &tape->subsampling[i] : &measured, w, &at->scratch);
    }
}

void attn_train_embed_layout(attn_embed_tape *tape, const attn_embed *w, const attn_train_pass *pass,
                             attn_layouts *at) {
    size_t d_model = pass->config->attention.d_model, mark = attn_arena_mark(&at->scratch);
    *tape = (attn_embed_tape){.x = attn_arena_reals(&at->keep, pass->input.rows, pass->config->input_dim)};
    if (is_conv2d(pass)) {
        tape->convolved = attn_arena_reals(&at->keep, pass->rows.rows, w->out.in);
        subsampling_layout(tape, w, at);
    }
    if (w->has_norm) {
        attn_train_layer_norm_layout(&tape->norm, pass->rows.rows, d_model, at);
        tape->linear = attn_arena_reals(&at->scratch, pass->rows.rows, d_model);
        tape->dlinear = attn_arena_reals(&at->scratch, pass->rows.rows, d_model);
    }
    attn_arena_release(&at->scratch, mark);
}

static void take_features(attn_embed_tape *tape, const float *x, size_t frames, const attn_embed *w,
                          const attn_train_pass *pass) {
    size_t dim = pass->config->input_dim;
    const attn_real *mean = attn_values(w->cmvn_mean), *istd = attn_values(w->cmvn_istd);
    for (size_t u = 0; u < pass->input.utterances; u++) {
        const float *from = x + u * frames * dim;
        attn_real *to = tape->x + pass->input.start[u] * dim;
        for (size_t i = 0; i < attn_ragged_length(&pass->input, u) * dim; i++)
            to[i] = w->has_cmvn ? (from[i] - mean[i % dim]) * istd[i % dim] : from[i];
    }
}

typedef struct embedding {
    const attn_embed_tape *tape;
    const attn_embed *w, *dw;
    const attn_train_pass *pass;
    const attn_real *dy;
} embedding;

static void subsample_utterances(const void *context, size_t begin, size_t end, size_t part) {
    const embedding *e = context;
    const attn_embed_tape *tape = e->tape;
    const attn_train_pass *pass = e->pass;
    attn_train_subsampling_begin(&tape->subsampling[part], e->w);
    for (size_t u = begin; u < end; u++)
        attn_train_subsampling(tape->convolved + pass->rows.start[u] * e->w->out.in,
                               tape->x + pass->input.start[u] * e->w->bins[0], &tape->subsampling[part], e->w,
                               attn_ragged_length(&pass->rows, u));
}

static void subsample(attn_real *y, attn_embed_tape *tape, const attn_embed *w, const attn_train_pass *pass) {
    embedding e = {.tape = tape, .w = w, .pass = pass};
    attn_train_share_utterances(&pass->rows, subsample_utterances, &e);
    attn_train_linear(y, tape->convolved, &w->out, pass->rows.rows);
}

static void subsample_utterances_backward(const void *context, size_t begin, size_t end, size_t part) {
    const embedding *e = context;
    const attn_embed_tape *tape = e->tape;
    const attn_embed *w = e->w;
    for (size_t u = begin; u < end; u++) {
        size_t start = e->pass->rows.start[u], frames = attn_ragged_length(&e->pass->rows, u);
        if (frames)
            attn_train_subsampling_backward(e->dy + start * w->out.out, tape->convolved + start * w->out.in,
                                            tape->x + e->pass->input.start[u] * w->bins[0],
                                            &tape->subsampling[part], w, frames);
    }
}

static void subsample_backward(const attn_real *dy, attn_embed_tape *tape, const attn_embed *w,
                               const attn_embed *dw, const attn_train_pass *pass) {
    embedding e = {.tape = tape, .w = w, .dw = dw, .pass = pass, .dy = dy};
    attn_train_linear_backward(NULL, 0, dy, tape->convolved, &w->out, &dw->out, pass->rows.rows);
    for (size_t i = 0; i < attn_threads_in_use(); i++)
        attn_train_subsampling_begin(&tape->subsampling[i], w);
    attn_train_share_utterances(&pass->rows, subsample_utterances_backward, &e);
    for (size_t i = 0; i < attn_threads_in_use(); i++)
        attn_train_subsampling_end(&tape->subsampling[i], dw);
}

static attn_real scale_of(const attn_train_pass *pass) {
    return attn_scales_input(pass->config) ? (attn_real)sqrt((double)pass->config->attention.d_model) : 1;
}

static void add_positions(attn_real *h, const attn_train_pass *pass) {
    size_t d_model = pass->config->attention.d_model;
    for (size_t i = 0; pass->config->attention.pos_enc == ATTN_POS_ABS && i < d_model; i++) {
        double step = attn_position_step(i, d_model);
        for (size_t u = 0; u < pass->rows.utterances; u++)
            for (size_t t = 0; t < attn_ragged_length(&pass->rows, u); t++) {
                double angle = (double)t * step;
                h[(pass->rows.start[u] + t) * d_model + i] += (attn_real)(i & 1 ? cos(angle) : sin(angle));
            }
    }
}

void attn_train_embed(attn_real *h, attn_embed_tape *tape, const float *x, size_t frames, const attn_embed *w,
                      const attn_train_pass *pass) {
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
                               const attn_embed *dw, const attn_train_pass *pass) {
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
