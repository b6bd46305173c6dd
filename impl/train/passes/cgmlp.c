/* W_2 (r conv(LayerNorm(g))), [r | g] = gelu(W_1 LayerNorm(x)) (Peng et al. 2022, section 3.3), with dropout
 * before W_2. Causal: kernel - 1 zero frames before g's first, whose LayerNorm is its bias. */
#include "impl/train/passes/share.h"

#include <string.h>

void attn_train_cgmlp_layout(attn_cgmlp_tape *tape, const attn_cgmlp *w, const attn_train_pass *pass,
                             attn_layouts *at) {
    size_t rows = pass->rows.rows, d_model = pass->config->attention.d_model;
    size_t half = pass->config->cgmlp_units / 2, mark = attn_arena_mark(&at->scratch);
    attn_train_layer_norm_layout(&tape->pre_norm, rows, d_model, at);
    tape->normed = attn_arena_reals(&at->keep, rows, d_model);
    tape->wide = attn_arena_reals(&at->keep, rows, 2 * half);
    tape->kept = attn_arena_reals(&at->keep, rows, half);
    attn_train_layer_norm_layout(&tape->norm, rows, half, at);
    attn_train_depthwise_layout(&tape->depthwise, half, pass, at);
    tape->convolved = attn_arena_reals(&at->keep, rows, half);
    tape->gating = w->has_linear ? attn_arena_reals(&at->keep, rows, half) : tape->convolved;
    tape->product = attn_arena_reals(&at->keep, rows, half);
    tape->active = attn_arena_reals(&at->scratch, rows, 2 * half);
    tape->gate = attn_arena_reals(&at->scratch, rows, half);
    tape->normal_gate = attn_arena_reals(&at->scratch, rows, half);
    tape->dproduct = attn_arena_reals(&at->scratch, rows, half);
    tape->dnormed = attn_arena_reals(&at->scratch, rows, d_model);
    attn_arena_release(&at->scratch, mark);
}

static void split(attn_real *first, attn_real *second, const attn_real *x, size_t rows, size_t half) {
    for (size_t r = 0; r < rows; r++) {
        memcpy(first + r * half, x + 2 * r * half, half * sizeof *x);
        memcpy(second + r * half, x + (2 * r + 1) * half, half * sizeof *x);
    }
}

static void join(attn_real *x, const attn_real *first, const attn_real *second, size_t rows, size_t half) {
    for (size_t r = 0; r < rows; r++) {
        memcpy(x + 2 * r * half, first + r * half, half * sizeof *x);
        memcpy(x + (2 * r + 1) * half, second + r * half, half * sizeof *x);
    }
}

void attn_train_cgmlp(attn_real *y, attn_cgmlp_tape *tape, const attn_real *x, const attn_cgmlp *w,
                      const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t rows = pass->rows.rows, half = w->norm.width;
    double eps = pass->config->layer_norm_eps;
    attn_train_layer_norm(tape->normed, &tape->pre_norm, x, &w->pre_norm, rows, eps);
    attn_train_linear(tape->wide, tape->normed, &w->channel_proj1, rows);
    attn_train_unary(k->gelu, tape->active, tape->wide, rows * 2 * half);
    split(tape->kept, tape->gate, tape->active, rows, half);
    attn_train_layer_norm(tape->normal_gate, &tape->norm, tape->gate, &w->norm, rows, eps);
    attn_train_depthwise_pad(&tape->depthwise, tape->normal_gate,
                             pass->config->causal ? attn_values(w->norm.bias) : NULL, half, pass);
    attn_train_depthwise(tape->convolved, &tape->depthwise, &w->conv, pass);
    if (w->has_linear)
        attn_train_linear(tape->gating, tape->convolved, &w->linear, rows);
    k->multiply(tape->product, tape->kept, tape->gating, rows * half);
    attn_train_dropout(tape->product, rows * half, ATTN_DROP_INNER, 0, pass);
    attn_train_linear(y, tape->product, &w->channel_proj2, rows);
}

/* dgate [rows, half] at the gate half, from dgating at the gate's factor. */
static void gate_backward(attn_real *dgate, attn_real *dgating, attn_real *other, attn_cgmlp_tape *tape,
                          const attn_cgmlp *w, const attn_cgmlp *dw, const attn_train_pass *pass) {
    size_t rows = pass->rows.rows, half = w->norm.width;
    attn_real *dconvolved = dgating;
    if (w->has_linear) {
        dconvolved = dgate;
        attn_train_linear_backward(dconvolved, 0, dgating, tape->convolved, &w->linear, &dw->linear, rows);
    }
    attn_train_depthwise_backward(other, pass->config->causal ? attn_gradients(dw->norm.bias) : NULL,
                                  dconvolved, &tape->depthwise, &w->conv, &dw->conv, pass);
    memset(dgate, 0, rows * half * sizeof *dgate);
    attn_train_layer_norm_backward(dgate, other, &tape->norm, &w->norm, &dw->norm, rows);
}

void attn_train_cgmlp_backward(attn_real *dx, const attn_real *dy, attn_cgmlp_tape *tape, const attn_cgmlp *w,
                               const attn_cgmlp *dw, const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t rows = pass->rows.rows, half = w->norm.width, count = rows * half;
    attn_real *dkept = tape->dproduct, *dgating = tape->gate, *dgate = tape->normal_gate;
    attn_real *dwide = tape->active;
    attn_train_linear_backward(tape->dproduct, 0, dy, tape->product, &w->channel_proj2, &dw->channel_proj2,
                               rows);
    attn_train_dropout(tape->dproduct, count, ATTN_DROP_INNER, 0, pass);
    k->multiply(dgating, tape->dproduct, tape->kept, count);
    k->multiply(dkept, tape->dproduct, tape->gating, count);
    gate_backward(dgate, dgating, dwide, tape, w, dw, pass);
    join(dwide, dkept, dgate, rows, half);
    attn_train_binary(k->gelu_backward, dwide, dwide, tape->wide, 2 * count);
    attn_train_linear_backward(tape->dnormed, 0, dwide, tape->normed, &w->channel_proj1, &dw->channel_proj1,
                               rows);
    attn_train_layer_norm_backward(dx, tape->dnormed, &tape->pre_norm, &w->pre_norm, &dw->pre_norm, rows);
}
