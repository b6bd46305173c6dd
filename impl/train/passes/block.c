/*   Conformer     x + FFN/2, x + Attn(LN x), x + Conv, x + FFN/2, LN     (Gulati et al. 2020, section 2)
 *   Branchformer  x + Merge(Attn(LN x), cgMLP(x)), LN                    (Peng et al. 2022, section 3)
 *   bare          Attn(x), or x + Attn(x) where there are several layers */
#include "impl/train/passes/block.h"

#include <string.h>

static bool is(const attn_train_pass *pass, attn_model_type type) {
    return pass->config->model_type == type;
}

static void parts_layout(attn_block_tape *tape, const attn_block *w, const attn_train_pass *pass,
                         attn_layouts *at) {
    size_t rows = pass->rows.rows, d_model = pass->config->attention.d_model;
    if (is(pass, ATTN_MODEL_CONFORMER)) {
        attn_train_feed_forward_layout(&tape->macaron, pass, at);
        attn_train_convolution_layout(&tape->convolution, pass, at);
        attn_train_feed_forward_layout(&tape->feed_forward, pass, at);
    } else if (is(pass, ATTN_MODEL_BRANCHFORMER)) {
        tape->x1 = attn_arena_reals(&at->keep, rows, d_model);
        tape->x2 = attn_arena_reals(&at->keep, rows, d_model);
        tape->dx1 = attn_arena_reals(&at->scratch, rows, d_model);
        tape->dx2 = attn_arena_reals(&at->scratch, rows, d_model);
        if (attn_uses_cgmlp(pass->config))
            attn_train_cgmlp_layout(&tape->cgmlp, &w->cgmlp, pass, at);
        attn_train_merge_layout(&tape->merge, pass, at);
    }
}

void attn_train_block_layout(attn_block_tape *tape, const attn_block *w,
                             const attn_train_positions *positions, const attn_train_pass *pass,
                             attn_layouts *at) {
    size_t rows = pass->rows.rows, d_model = pass->config->attention.d_model;
    size_t mark = attn_arena_mark(&at->scratch);
    *tape = (attn_block_tape){.normed = attn_arena_reals(&at->keep, rows, d_model),
                              .attended = attn_arena_reals(&at->scratch, rows, d_model),
                              .dnormed = attn_arena_reals(&at->scratch, rows, d_model)};
    attn_train_layer_norm_layout(&tape->norm_mha, rows, d_model, at);
    attn_train_layer_norm_layout(&tape->norm_final, rows, d_model, at);
    parts_layout(tape, w, pass, at);
    if (attn_uses_attention(pass->config))
        attn_train_attention_layout(&tape->attention, &w->attention, positions, pass, at);
    attn_arena_release(&at->scratch, mark);
}

/* y = Attn(LN x) */
static void attend(attn_real *y, attn_block_tape *tape, const attn_real *x, const attn_block *w,
                   const attn_train_positions *positions, const attn_train_pass *pass) {
    attn_train_layer_norm(tape->normed, &tape->norm_mha, x, &w->norm_mha, pass->rows.rows,
                          pass->config->layer_norm_eps);
    attn_train_attention(y, &tape->attention, tape->normed, &w->attention, positions, pass);
}

/* dx += what comes back through Attn(LN x); dy is overwritten. */
static void attend_backward(attn_real *dx, attn_real *dy, attn_block_tape *tape, const attn_block *w,
                            const attn_block *dw, const attn_train_positions *positions,
                            const attn_train_pass *pass) {
    attn_train_attention_backward(tape->dnormed, dy, &tape->attention, tape->normed, &w->attention,
                                  &dw->attention, positions, pass);
    attn_train_layer_norm_backward(dx, tape->dnormed, &tape->norm_mha, &w->norm_mha, &dw->norm_mha,
                                   pass->rows.rows);
}

static void conformer(attn_real *x, attn_block_tape *tape, const attn_block *w,
                      const attn_train_positions *positions, const attn_train_pass *pass) {
    size_t count = pass->rows.rows * pass->config->attention.d_model;
    attn_train_feed_forward(x, &tape->macaron, &w->feed_forward_macaron, true, pass);
    attend(tape->attended, tape, x, w, positions, pass);
    attn_train_rows()->add(x, tape->attended, count, 1);
    attn_train_convolution(x, &tape->convolution, &w->convolution, pass);
    attn_train_feed_forward(x, &tape->feed_forward, &w->feed_forward, false, pass);
}

static void conformer_backward(attn_real *dx, attn_block_tape *tape, const attn_block *w,
                               const attn_block *dw, const attn_train_positions *positions,
                               const attn_train_pass *pass) {
    size_t count = pass->rows.rows * pass->config->attention.d_model;
    attn_train_feed_forward_backward(dx, &tape->feed_forward, &w->feed_forward, &dw->feed_forward, false,
                                     pass);
    attn_train_convolution_backward(dx, &tape->convolution, &w->convolution, &dw->convolution, pass);
    memcpy(tape->attended, dx, count * sizeof *dx);
    attend_backward(dx, tape->attended, tape, w, dw, positions, pass);
    attn_train_feed_forward_backward(dx, &tape->macaron, &w->feed_forward_macaron, &dw->feed_forward_macaron,
                                     true, pass);
}

static void branchformer(attn_real *x, attn_block_tape *tape, const attn_block *w,
                         const attn_train_positions *positions, const attn_train_pass *pass) {
    size_t count = pass->rows.rows * pass->config->attention.d_model;
    if (attn_uses_attention(pass->config))
        attend(tape->x1, tape, x, w, positions, pass);
    if (attn_uses_cgmlp(pass->config)) {
        attn_train_cgmlp(tape->x2, &tape->cgmlp, x, &w->cgmlp, pass);
        attn_train_dropout(tape->x2, count, ATTN_DROP_CONVOLUTION, 0, pass);
    }
    attn_train_merge(x, &tape->merge, tape->x1, tape->x2, &w->merger, pass);
}

static void branchformer_backward(attn_real *dx, attn_block_tape *tape, const attn_block *w,
                                  const attn_block *dw, const attn_train_positions *positions,
                                  const attn_train_pass *pass) {
    size_t count = pass->rows.rows * pass->config->attention.d_model;
    attn_train_merge_backward(tape->dx1, tape->dx2, dx, &tape->merge, tape->x1, tape->x2, &w->merger,
                              &dw->merger, pass);
    if (attn_uses_cgmlp(pass->config)) {
        attn_train_dropout(tape->dx2, count, ATTN_DROP_CONVOLUTION, 0, pass);
        attn_train_cgmlp_backward(dx, tape->dx2, &tape->cgmlp, &w->cgmlp, &dw->cgmlp, pass);
    }
    if (attn_uses_attention(pass->config))
        attend_backward(dx, tape->dx1, tape, w, dw, positions, pass);
}

static void bare(attn_real *x, attn_block_tape *tape, const attn_block *w,
                 const attn_train_positions *positions, const attn_train_pass *pass) {
    size_t count = pass->rows.rows * pass->config->attention.d_model;
    memcpy(tape->normed, x, count * sizeof *x);
    attn_train_attention(tape->attended, &tape->attention, tape->normed, &w->attention, positions, pass);
    if (pass->config->num_layers == 1)
        memset(x, 0, count * sizeof *x);
    attn_train_rows()->add(x, tape->attended, count, 1);
}

static void bare_backward(attn_real *dx, attn_block_tape *tape, const attn_block *w, const attn_block *dw,
                          const attn_train_positions *positions, const attn_train_pass *pass) {
    size_t count = pass->rows.rows * pass->config->attention.d_model;
    memcpy(tape->attended, dx, count * sizeof *dx);
    attn_train_attention_backward(tape->dnormed, tape->attended, &tape->attention, tape->normed,
                                  &w->attention, &dw->attention, positions, pass);
    if (pass->config->num_layers == 1)
        memset(dx, 0, count * sizeof *dx);
    attn_train_rows()->add(dx, tape->dnormed, count, 1);
}

/* x = LN(x): the tape's other buffers are free by then. */
static void norm_final(attn_real *x, attn_block_tape *tape, const attn_block *w,
                       const attn_train_pass *pass) {
    size_t count = pass->rows.rows * pass->config->attention.d_model;
    memcpy(tape->attended, x, count * sizeof *x);
    attn_train_layer_norm(x, &tape->norm_final, tape->attended, &w->norm_final, pass->rows.rows,
                          pass->config->layer_norm_eps);
}

static void norm_final_backward(attn_real *dx, attn_block_tape *tape, const attn_block *w,
                                const attn_block *dw, const attn_train_pass *pass) {
    size_t count = pass->rows.rows * pass->config->attention.d_model;
    memcpy(tape->attended, dx, count * sizeof *dx);
    memset(dx, 0, count * sizeof *dx);
    attn_train_layer_norm_backward(dx, tape->attended, &tape->norm_final, &w->norm_final, &dw->norm_final,
                                   pass->rows.rows);
}

void attn_train_block(attn_real *x, attn_block_tape *tape, const attn_block *w,
                      const attn_train_positions *positions, const attn_train_pass *pass) {
    if (is(pass, ATTN_MODEL_ATTENTION)) {
        bare(x, tape, w, positions, pass);
        return;
    }
    (is(pass, ATTN_MODEL_CONFORMER) ? conformer : branchformer)(x, tape, w, positions, pass);
    norm_final(x, tape, w, pass);
}

void attn_train_block_backward(attn_real *dx, attn_block_tape *tape, const attn_block *w,
                               const attn_block *dw, const attn_train_positions *positions,
                               const attn_train_pass *pass) {
    if (is(pass, ATTN_MODEL_ATTENTION)) {
        bare_backward(dx, tape, w, dw, positions, pass);
        return;
    }
    norm_final_backward(dx, tape, w, dw, pass);
    (is(pass, ATTN_MODEL_CONFORMER) ? conformer_backward : branchformer_backward)(dx, tape, w, dw, positions,
                                                                                  pass);
}
