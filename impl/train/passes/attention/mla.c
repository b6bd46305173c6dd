/* mla: c = x W_c^T, K_i = (c A_ki^T) B_ki^T for each head i, V_i likewise (DeepSeek-V2 2024, eq. 9-11, with the
 * project's factors a head). The heads' matrices are stacked: A is one map, B is block by block. */
#include "impl/train/passes/attention.h"

static void layout(attn_attention_tape *tape, const attn_layer *w, const attn_train_pass *pass,
                   attn_layouts *at) {
    size_t rows = pass->rows.rows, d_model = w->geometry.d_model;
    tape->latent = attn_arena_reals(&at->keep, rows, w->geometry.latent_dim);
    tape->a_k = attn_arena_reals(&at->keep, rows, d_model);
    tape->a_v = attn_arena_reals(&at->keep, rows, d_model);
    tape->dlatent = attn_arena_reals(&at->scratch, rows, w->geometry.latent_dim);
    tape->da = attn_arena_reals(&at->scratch, rows, d_model);
}

/* y's columns of each head = a's columns of that head through its block of B. */
static void blocks(attn_real *y, const attn_real *a, const attn_linear *stack, size_t rows) {
    size_t d_k = stack->in, d_model = stack->out;
    const attn_real *bias = attn_values(stack->bias), *weight = attn_values(stack->weight);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < d_model; i++)
            y[r * d_model + i] = bias[i];
    for (size_t first = 0; first < d_model; first += d_k)
        attn_real_gemm_nt(rows, d_k, d_k, 1, a + first, d_model, weight + first * d_k, d_k, 1, y + first,
                          d_model);
}

static void blocks_backward(attn_real *da, const attn_real *dy, const attn_real *a, const attn_linear *stack,
                            const attn_linear *dstack, size_t rows) {
    size_t d_k = stack->in, d_model = stack->out;
    const attn_real *weight = attn_values(stack->weight);
    attn_real *dweight = attn_gradients(dstack->weight);
    attn_train_rows()->add_columns(attn_gradients(dstack->bias), dy, rows, d_model);
    for (size_t first = 0; first < d_model; first += d_k) {
        attn_real_gemm_tn(d_k, d_k, rows, 1, dy + first, d_model, a + first, d_model, 1,
                          dweight + first * d_k, d_k);
        attn_real_gemm_nn(rows, d_k, d_k, 1, dy + first, d_model, weight + first * d_k, d_k, 0, da + first,
                          d_model);
    }
}

static void forward(attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                    const attn_train_pass *pass) {
    size_t rows = pass->rows.rows;
    attn_train_linear(tape->latent, x, &w->kv_compress, rows);
    attn_train_linear(tape->a_k, tape->latent, &w->k_expand_a, rows);
    attn_train_linear(tape->a_v, tape->latent, &w->v_expand_a, rows);
    blocks(tape->k, tape->a_k, &w->k_expand_b, rows);
    blocks(tape->v, tape->a_v, &w->v_expand_b, rows);
}

static void backward(attn_real *dx, attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                     const attn_layer *dw, const attn_train_pass *pass) {
    size_t rows = pass->rows.rows;
    blocks_backward(tape->da, tape->dk, tape->a_k, &w->k_expand_b, &dw->k_expand_b, rows);
    attn_train_linear_backward(tape->dlatent, 0, tape->da, tape->latent, &w->k_expand_a, &dw->k_expand_a,
                               rows);
    blocks_backward(tape->da, tape->dv, tape->a_v, &w->v_expand_b, &dw->v_expand_b, rows);
    attn_train_linear_backward(tape->dlatent, 1, tape->da, tape->latent, &w->v_expand_a, &dw->v_expand_a,
                               rows);
    attn_train_linear_backward(dx, 1, tape->dlatent, x, &w->kv_compress, &dw->kv_compress, rows);
}

const attn_train_variant attn_train_mla = {"mla", layout, forward, backward};
