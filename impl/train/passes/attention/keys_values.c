/* mha and gqa: K = x W_k^T, V = x W_v^T. */
#include "impl/train/passes/attention.h"

static void layout(attn_attention_tape *tape, const attn_layer *w, const attn_train_pass *pass,
                   attn_layouts *at) {
    (void)tape, (void)w, (void)pass, (void)at;
}

static void forward(attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                    const attn_train_pass *pass) {
    attn_train_linear(tape->k, x, &w->k_proj, pass->rows.rows);
    attn_train_linear(tape->v, x, &w->v_proj, pass->rows.rows);
}

static void backward(attn_real *dx, attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                     const attn_layer *dw, const attn_train_pass *pass) {
    attn_train_linear_backward(dx, 1, tape->dk, x, &w->k_proj, &dw->k_proj, pass->rows.rows);
    attn_train_linear_backward(dx, 1, tape->dv, x, &w->v_proj, &dw->v_proj, pass->rows.rows);
}

const attn_train_variant attn_train_mha = {"mha", layout, forward, backward};
const attn_train_variant attn_train_gqa = {"gqa", layout, forward, backward};
