/* x + W_2 swish(W_1 LayerNorm(x)) / 2 (Gulati et al. 2020, section 2.3), with dropout after the activation and
 * after W_2. */
#include "impl/train/passes/share.h"

static const attn_real half = (attn_real)0.5;

void attn_train_feed_forward_layout(attn_feed_forward_tape *tape, const attn_train_pass *pass,
                                    attn_layouts *at) {
    size_t rows = pass->rows.rows, d_model = pass->config->attention.d_model, units = pass->config->ff_units;
    size_t mark = attn_arena_mark(&at->scratch);
    attn_train_layer_norm_layout(&tape->norm, rows, d_model, at);
    tape->normed = attn_arena_reals(&at->keep, rows, d_model);
    tape->wide = attn_arena_reals(&at->keep, rows, units);
    tape->inner = attn_arena_reals(&at->keep, rows, units);
    tape->out = attn_arena_reals(&at->scratch, rows, d_model);
    tape->dinner = attn_arena_reals(&at->scratch, rows, units);
    attn_arena_release(&at->scratch, mark);
}

void attn_train_feed_forward(attn_real *x, attn_feed_forward_tape *tape, const attn_feed_forward *w,
                             bool macaron, const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t rows = pass->rows.rows, d_model = w->w_1.in, units = w->w_1.out;
    attn_train_layer_norm(tape->normed, &tape->norm, x, &w->norm, rows, pass->config->layer_norm_eps);
    attn_train_linear(tape->wide, tape->normed, &w->w_1, rows);
    attn_train_unary(k->swish, tape->inner, tape->wide, rows * units);
    attn_train_dropout(tape->inner, rows * units, macaron ? ATTN_DROP_MACARON_INNER : ATTN_DROP_INNER, 0,
                       pass);
    attn_train_linear(tape->out, tape->inner, &w->w_2, rows);
    attn_train_dropout(tape->out, rows * d_model, macaron ? ATTN_DROP_MACARON : ATTN_DROP_FEED_FORWARD, 0,
                       pass);
    k->add(x, tape->out, rows * d_model, half);
}

void attn_train_feed_forward_backward(attn_real *dx, const attn_feed_forward_tape *tape,
                                      const attn_feed_forward *w, const attn_feed_forward *dw, bool macaron,
                                      const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t rows = pass->rows.rows, d_model = w->w_1.in, units = w->w_1.out;
    for (size_t i = 0; i < rows * d_model; i++)
        tape->out[i] = half * dx[i];
    attn_train_dropout(tape->out, rows * d_model, macaron ? ATTN_DROP_MACARON : ATTN_DROP_FEED_FORWARD, 0,
                       pass);
    attn_train_linear_backward(tape->dinner, 0, tape->out, tape->inner, &w->w_2, &dw->w_2, rows);
    attn_train_dropout(tape->dinner, rows * units, macaron ? ATTN_DROP_MACARON_INNER : ATTN_DROP_INNER, 0,
                       pass);
    attn_train_binary(k->swish_backward, tape->dinner, tape->dinner, tape->wide, rows * units);
    attn_train_linear_backward(tape->out, 0, tape->dinner, tape->normed, &w->w_1, &dw->w_1, rows);
    attn_train_layer_norm_backward(dx, tape->out, &tape->norm, &w->norm, &dw->norm, rows);
}
