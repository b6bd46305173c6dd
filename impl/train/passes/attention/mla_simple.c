/* mla_simple: c = x W_c^T, K = c E_k^T, V = c E_v^T (DeepSeek-V2 2024, eq. 9-11). */
#include "impl/train/passes/attention.h"

static void layout(attn_attention_tape *tape, const attn_layer *w, const attn_train_pass *pass,
                   attn_layouts *at) {
    tape->latent = attn_arena_reals(&at->keep, pass->rows.rows, w->geometry.latent_dim);
    tape->dlatent = attn_arena_reals(&at->scratch, pass->rows.rows, w->geometry.latent_dim);
}

static void forward(attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                    const attn_train_pass *pass) {
    attn_train_linear(tape->latent, x, &w->kv_compress, pass->rows.rows);
    attn_train_linear(tape->k, tape->latent, &w->k_expand, pass->rows.rows);
    attn_train_linear(tape->v, tape->latent, &w->v_expand, pass->rows.rows);
}

static void backward(attn_real *dx, attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                     const attn_layer *dw, const attn_train_pass *pass) {
    size_t rows = pass->rows.rows;
    attn_train_linear_backward(tape->dlatent, 0, tape->dk, tape->latent, &w->k_expand, &dw->k_expand, rows);
    attn_train_linear_backward(tape->dlatent, 1, tape->dv, tape->latent, &w->v_expand, &dw->v_expand, rows);
    attn_train_linear_backward(dx, 1, tape->dlatent, x, &w->kv_compress, &dw->kv_compress, rows);
}

const attn_train_variant attn_train_mla_simple = {"mla_simple", layout, forward, backward};
