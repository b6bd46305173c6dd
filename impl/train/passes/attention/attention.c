/* y = W_o context(W_q x, x): what every type shares, and the table of types. */
#include "impl/train/passes/attention.h"

#include <math.h>
#include <string.h>

static const attn_train_variant *const variants[] = {&attn_train_mha, &attn_train_mla, &attn_train_mla_simple,
                                                     &attn_train_gqa, &attn_train_linear_attention};

/* NULL for a type that has no passes. */
static const attn_train_variant *find(const attn_variant *variant) {
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
        if (!strcmp(variants[i]->name, variant->name))
            return variants[i];
    return NULL;
}

static const attn_train_variant *variant_of(const attn_train_pass *pass) {
    return find(pass->config->variant);
}

int attn_train_check(const attn_config *config, attn_error *error) {
    if (find(config->variant))
        return 0;
    return attn_fail_as(error, ATTN_ERROR_UNSUPPORTED,
                        "attention_type: %s runs and is measured, but has no training pass",
                        config->variant->name);
}

void attn_train_attention_layout(attn_attention_tape *tape, const attn_layer *w,
                                 const attn_train_positions *positions, const attn_train_pass *pass,
                                 attn_layouts *at) {
    const attn_geometry *g = &w->geometry;
    size_t rows = pass->rows.rows, mark = attn_arena_mark(&at->scratch);
    size_t kv = attn_kv_heads(g) * attn_head_dim(g);
    *tape = (attn_attention_tape){.q = attn_arena_reals(&at->keep, rows, g->d_model),
                                  .k = attn_arena_reals(&at->keep, rows, kv),
                                  .v = attn_arena_reals(&at->keep, rows, kv),
                                  .context = attn_arena_reals(&at->keep, rows, g->d_model),
                                  .dcontext = attn_arena_reals(&at->scratch, rows, g->d_model),
                                  .dq = attn_arena_reals(&at->scratch, rows, g->d_model),
                                  .dk = attn_arena_reals(&at->scratch, rows, kv),
                                  .dv = attn_arena_reals(&at->scratch, rows, kv)};
    variant_of(pass)->layout(tape, w, pass, at);
    if (pass->config->variant->is_softmax)
        attn_train_softmax_layout(tape, w, positions, pass, at);
    attn_arena_release(&at->scratch, mark);
}

void attn_train_attention(attn_real *y, attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                          const attn_train_positions *positions, const attn_train_pass *pass) {
    size_t rows = pass->rows.rows;
    attn_train_linear(tape->q, x, &w->q_proj, rows);
    variant_of(pass)->forward(tape, x, w, pass);
    if (pass->config->variant->is_softmax)
        attn_train_softmax(tape, w, positions, pass);
    attn_train_linear(y, tape->context, &w->out_proj, rows);
    attn_train_dropout(y, rows * w->geometry.d_model, ATTN_DROP_ATTENTION, 0, pass);
}

void attn_train_attention_backward(attn_real *dx, attn_real *dy, attn_attention_tape *tape,
                                   const attn_real *x, const attn_layer *w, const attn_layer *dw,
                                   const attn_train_positions *positions, const attn_train_pass *pass) {
    size_t rows = pass->rows.rows, count = rows * w->geometry.d_model;
    attn_train_dropout(dy, count, ATTN_DROP_ATTENTION, 0, pass);
    attn_train_linear_backward(tape->dcontext, 0, dy, tape->context, &w->out_proj, &dw->out_proj, rows);
    memset(dx, 0, count * sizeof *dx);
    if (pass->config->variant->is_softmax)
        attn_train_softmax_backward(tape, w, dw, positions, pass);
    variant_of(pass)->backward(dx, tape, x, w, dw, pass);
    attn_train_linear_backward(dx, 1, tape->dq, x, &w->q_proj, &dw->q_proj, rows);
}

void attn_train_positions_layout(attn_train_positions *positions, const attn_train_pass *pass,
                                 attn_layouts *at) {
    size_t longest = pass->rows.longest;
    *positions = (attn_train_positions){0};
    if (!longest || !attn_has_rel_pos(&pass->config->attention))
        return;
    positions->count = pass->config->attention.pos_enc == ATTN_POS_REL ? 2 * longest - 1 : longest;
    positions->table = attn_arena_reals(&at->keep, positions->count, pass->config->attention.d_model);
}

/* Vaswani et al. 2017, section 3.5: sin and cos interleaved. Dropout on them is that of ESPnet and WeNet. */
void attn_train_positions_fill(attn_train_positions *positions, const attn_train_pass *pass) {
    size_t d_model = pass->config->attention.d_model;
    bool shifts = pass->config->attention.pos_enc == ATTN_POS_REL;
    for (size_t i = 0; i < d_model; i++) {
        double step = attn_position_step(i, d_model);
        for (size_t r = 0; r < positions->count; r++) {
            double position = shifts ? (double)pass->rows.longest - 1.0 - (double)r : (double)r;
            double angle = position * step;
            positions->table[r * d_model + i] = (attn_real)(i & 1 ? cos(angle) : sin(angle));
        }
    }
    attn_train_dropout(positions->table, positions->count * d_model, ATTN_DROP_POSITIONS, 0, pass);
}
