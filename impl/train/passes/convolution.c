/* x + W_2 swish(norm(depthwise(GLU(W_1 LayerNorm(x))))) (Gulati et al. 2020, section 2.2), dropout after W_2.
 * Causal: the module's input has kernel - 1 zero frames before each utterance's first; there the GLU sees the
 * bias of W_1 alone. */
#include "impl/train/passes/share.h"

#include <string.h>

void attn_train_convolution_layout(attn_convolution_tape *tape, const attn_train_pass *pass,
                                   attn_layouts *at) {
    size_t rows = pass->rows.rows, d_model = pass->config->attention.d_model;
    size_t mark = attn_arena_mark(&at->scratch);
    attn_train_layer_norm_layout(&tape->pre_norm, rows, d_model, at);
    tape->normed = attn_arena_reals(&at->keep, rows, d_model);
    tape->wide = attn_arena_reals(&at->keep, rows, 2 * d_model);
    attn_train_depthwise_layout(&tape->depthwise, d_model, pass, at);
    (pass->config->conv_norm == ATTN_NORM_BATCH
         ? attn_train_batch_norm_layout
         : attn_train_layer_norm_layout)(&tape->norm, rows, d_model, at);
    tape->convolved = attn_arena_reals(&at->keep, rows, d_model);
    tape->activated = attn_arena_reals(&at->keep, rows, d_model);
    tape->first = attn_arena_reals(&at->scratch, rows, d_model);
    tape->second = attn_arena_reals(&at->scratch, rows, d_model);
    tape->dwide = attn_arena_reals(&at->scratch, rows, 2 * d_model);
    tape->edge = attn_arena_reals(&at->scratch, 1, d_model);
    tape->dedge = attn_arena_reals(&at->scratch, 3, d_model);
    attn_arena_release(&at->scratch, mark);
}

static void apply_norm(attn_real *y, attn_convolution_tape *tape, const attn_real *x,
                       const attn_convolution *w, const attn_train_pass *pass) {
    if (pass->config->conv_norm == ATTN_NORM_BATCH)
        attn_train_batch_norm(y, &tape->norm, x, &w->norm, pass);
    else
        attn_train_layer_norm(y, &tape->norm, x, &w->norm, pass->rows.rows, pass->config->layer_norm_eps);
}

void attn_train_convolution(attn_real *x, attn_convolution_tape *tape, const attn_convolution *w,
                            const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t rows = pass->rows.rows, d_model = w->pointwise_conv2.in;
    attn_train_layer_norm(tape->normed, &tape->pre_norm, x, &w->pre_norm, rows, pass->config->layer_norm_eps);
    attn_train_linear(tape->wide, tape->normed, &w->pointwise_conv1, rows);
    attn_train_glu(tape->first, tape->wide, rows, d_model);
    k->glu(tape->edge, attn_values(w->pointwise_conv1.bias), d_model);
    attn_train_depthwise_pad(&tape->depthwise, tape->first, pass->config->causal ? tape->edge : NULL, d_model,
                             pass);
    attn_train_depthwise(tape->second, &tape->depthwise, &w->depthwise_conv, pass);
    apply_norm(tape->convolved, tape, tape->second, w, pass);
    attn_train_unary(k->swish, tape->activated, tape->convolved, rows * d_model);
    attn_train_linear(tape->first, tape->activated, &w->pointwise_conv2, rows);
    attn_train_dropout(tape->first, rows * d_model, ATTN_DROP_CONVOLUTION, 0, pass);
    k->add(x, tape->first, rows * d_model, 1);
}

/* dx = dy, back through the norm. */
static void norm_backward(attn_real *dx, const attn_real *dy, const attn_convolution_tape *tape,
                          const attn_convolution *w, const attn_convolution *dw,
                          const attn_train_pass *pass) {
    if (pass->config->conv_norm == ATTN_NORM_BATCH) {
        attn_train_batch_norm_backward(dx, dy, &tape->norm, &w->norm, &dw->norm, pass);
        return;
    }
    memset(dx, 0, pass->rows.rows * w->norm.width * sizeof *dx);
    attn_train_layer_norm_backward(dx, dy, &tape->norm, &w->norm, &dw->norm, pass->rows.rows);
}

/* The rows before the first frame are GLU(b): what comes back to them goes to the bias of W_1. */
static void edge_backward(attn_real *dbias, const attn_convolution_tape *tape, const attn_convolution *w) {
    size_t d_model = w->pointwise_conv2.in;
    attn_real *dwide = tape->dedge + d_model;
    attn_train_rows()->glu_backward(dwide, tape->dedge, attn_values(w->pointwise_conv1.bias), d_model);
    attn_train_rows()->add(dbias, dwide, 2 * d_model, 1);
}

void attn_train_convolution_backward(attn_real *dx, attn_convolution_tape *tape, const attn_convolution *w,
                                     const attn_convolution *dw, const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t rows = pass->rows.rows, d_model = w->pointwise_conv2.in, count = rows * d_model;
    attn_real *first = tape->first, *second = tape->second;
    memcpy(first, dx, count * sizeof *dx);
    attn_train_dropout(first, count, ATTN_DROP_CONVOLUTION, 0, pass);
    attn_train_linear_backward(second, 0, first, tape->activated, &w->pointwise_conv2, &dw->pointwise_conv2,
                               rows);
    attn_train_binary(k->swish_backward, second, second, tape->convolved, count);
    norm_backward(first, second, tape, w, dw, pass);
    memset(tape->dedge, 0, d_model * sizeof *dx);
    attn_train_depthwise_backward(second, pass->config->causal ? tape->dedge : NULL, first, &tape->depthwise,
                                  &w->depthwise_conv, &dw->depthwise_conv, pass);
    attn_train_glu_backward(tape->dwide, second, tape->wide, rows, d_model);
    attn_train_linear_backward(first, 0, tape->dwide, tape->normed, &w->pointwise_conv1, &dw->pointwise_conv1,
                               rows);
    if (pass->config->causal)
        edge_backward(attn_gradients(dw->pointwise_conv1.bias), tape, w);
    attn_train_layer_norm_backward(dx, first, &tape->pre_norm, &w->pre_norm, &dw->pre_norm, rows);
}
