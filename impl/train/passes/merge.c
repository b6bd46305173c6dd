/* x + W [x1; x2], or x + W (a1 x1 + a2 x2) (Peng et al. 2022, section 3.4), with dropout after W. The weights
 * a are fixed, or learned for each utterance:
 *
 *   s_t = (p . x_t + b) / sqrt(d),  m = sum_t softmax(s)_t x_t,  l = q . m + c,  (a1, a2) = softmax(l1, l2). */
#include "impl/train/passes/pass.h"

#include <math.h>
#include <string.h>

static bool concatenates(const attn_train_pass *pass) {
    return pass->config->merge_method == ATTN_MERGE_CONCAT;
}

static bool learns(const attn_train_pass *pass) {
    return pass->config->merge_method == ATTN_MERGE_LEARNED_AVE;
}

void attn_train_merge_layout(attn_merge_tape *tape, const attn_train_pass *pass, attn_layouts *at) {
    size_t rows = pass->rows.rows, d_model = pass->config->attention.d_model, batch = pass->rows.utterances;
    size_t width = concatenates(pass) ? 2 * d_model : d_model, mark = attn_arena_mark(&at->scratch);
    *tape = (attn_merge_tape){.merged = attn_arena_reals(&at->keep, rows, width),
                              .weights = attn_arena_reals(&at->keep, batch, 2)};
    if (learns(pass)) {
        tape->shares = attn_arena_reals(&at->keep, 2, rows);
        tape->means = attn_arena_reals(&at->keep, 2 * batch, d_model);
    }
    tape->out = attn_arena_reals(&at->scratch, rows, d_model);
    tape->dmerged = attn_arena_reals(&at->scratch, rows, width);
    tape->dmean = attn_arena_reals(&at->scratch, 1, d_model);
    attn_arena_release(&at->scratch, mark);
}

static attn_real dot(const attn_real *a, const attn_real *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return (attn_real)sum;
}

/* a . (b - c): what differs little is subtracted before it is multiplied. */
static attn_real dot_difference(const attn_real *a, const attn_real *b, const attn_real *c, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * ((double)b[i] - (double)c[i]);
    return (attn_real)sum;
}

/* l of one branch and utterance; leaves softmax(s) and m. */
static double pool(attn_real *share, attn_real *mean, const attn_real *x, size_t frames,
                   const attn_linear *pooling, const attn_linear *weight) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t d_model = pooling->in;
    attn_train_linear(share, x, pooling, frames);
    k->softmax(share, frames, (attn_real)(1.0 / sqrt((double)d_model)));
    memset(mean, 0, d_model * sizeof *mean);
    for (size_t t = 0; t < frames; t++)
        k->add(mean, x + t * d_model, d_model, share[t]);
    return (double)dot(mean, attn_values(weight->weight), d_model) + (double)*attn_values(weight->bias);
}

static void weigh(attn_merge_tape *tape, const attn_real *const x[2], size_t u, const attn_merger *w,
                  const attn_train_pass *pass) {
    attn_real *weights = tape->weights + 2 * u;
    if (!learns(pass)) {
        weights[0] = (attn_real)(1.0 - pass->config->cgmlp_weight);
        weights[1] = (attn_real)pass->config->cgmlp_weight;
        return;
    }
    size_t rows = pass->rows.rows, batch = pass->rows.utterances, start = pass->rows.start[u];
    size_t d_model = pass->config->attention.d_model, frames = attn_ragged_length(&pass->rows, u);
    double l[2];
    for (size_t i = 0; i < 2; i++)
        l[i] = pool(tape->shares + i * rows + start, tape->means + (i * batch + u) * d_model,
                    x[i] + start * d_model, frames, &w->pooling_proj[i], &w->weight_proj[i]);
    weights[0] = (attn_real)(1.0 / (1.0 + exp(l[1] - l[0])));
    weights[1] = (attn_real)(1.0 / (1.0 + exp(l[0] - l[1])));
}

static void average(attn_merge_tape *tape, const attn_real *const x[2], const attn_merger *w,
                    const attn_train_pass *pass) {
    size_t d_model = pass->config->attention.d_model;
    const bool used[2] = {attn_uses_attention(pass->config), attn_uses_cgmlp(pass->config)};
    for (size_t u = 0; u < pass->rows.utterances; u++) {
        size_t at = pass->rows.start[u] * d_model, count = attn_ragged_length(&pass->rows, u) * d_model;
        weigh(tape, x, u, w, pass);
        memset(tape->merged + at, 0, count * sizeof(attn_real));
        for (size_t i = 0; i < 2; i++)
            if (used[i])
                attn_train_rows()->add(tape->merged + at, x[i] + at, count, tape->weights[2 * u + i]);
    }
}

void attn_train_merge(attn_real *x, attn_merge_tape *tape, const attn_real *x1, const attn_real *x2,
                      const attn_merger *w, const attn_train_pass *pass) {
    size_t rows = pass->rows.rows, d_model = pass->config->attention.d_model;
    const attn_real *const branches[2] = {x1, x2};
    for (size_t r = 0; concatenates(pass) && r < rows; r++) {
        memcpy(tape->merged + 2 * r * d_model, x1 + r * d_model, d_model * sizeof *x);
        memcpy(tape->merged + (2 * r + 1) * d_model, x2 + r * d_model, d_model * sizeof *x);
    }
    if (!concatenates(pass))
        average(tape, branches, w, pass);
    attn_train_linear(tape->out, tape->merged, &w->merge_proj, rows);
    attn_train_dropout(tape->out, rows * d_model, ATTN_DROP_MERGED, 0, pass);
    attn_train_rows()->add(x, tape->out, rows * d_model, 1);
}

/* Adds to dx [frames, d_model] what comes back through l, whose gradient is dl:
 * dq += dl m, dc += dl, dm = dl q; with a = softmax(s): ds_t = a_t dm . (x_t - m) / sqrt(d),
 * dp += ds_t x_t, db += sum ds, dx_t += a_t dm + ds_t p. */
static void pool_backward(attn_real *dx, attn_merge_tape *tape, attn_real dl, const attn_real *x, size_t u,
                          size_t i, const attn_merger *w, const attn_merger *dw,
                          const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t d_model = pass->config->attention.d_model, frames = attn_ragged_length(&pass->rows, u);
    const attn_real *share = tape->shares + i * pass->rows.rows + pass->rows.start[u];
    const attn_real *mean = tape->means + (i * pass->rows.utterances + u) * d_model;
    attn_real scale = (attn_real)(1.0 / sqrt((double)d_model));
    k->add(attn_gradients(dw->weight_proj[i].weight), mean, d_model, dl);
    *attn_gradients(dw->weight_proj[i].bias) += dl;
    memset(tape->dmean, 0, d_model * sizeof *dx);
    k->add(tape->dmean, attn_values(w->weight_proj[i].weight), d_model, dl);
    for (size_t t = 0; t < frames; t++) {
        attn_real ds = share[t] * scale * dot_difference(tape->dmean, x + t * d_model, mean, d_model);
        k->add(dx + t * d_model, tape->dmean, d_model, share[t]);
        k->add(attn_gradients(dw->pooling_proj[i].weight), x + t * d_model, d_model, ds);
        *attn_gradients(dw->pooling_proj[i].bias) += ds;
        k->add(dx + t * d_model, attn_values(w->pooling_proj[i].weight), d_model, ds);
    }
}

static void average_backward(attn_real *const dx[2], attn_merge_tape *tape, const attn_real *const x[2],
                             size_t u, const attn_merger *w, const attn_merger *dw,
                             const attn_train_pass *pass) {
    size_t d_model = pass->config->attention.d_model, at = pass->rows.start[u] * d_model;
    size_t count = attn_ragged_length(&pass->rows, u) * d_model;
    const bool used[2] = {attn_uses_attention(pass->config), attn_uses_cgmlp(pass->config)};
    const attn_real *weights = tape->weights + 2 * u;
    for (size_t i = 0; i < 2; i++) {
        if (!used[i])
            continue;
        memset(dx[i] + at, 0, count * sizeof(attn_real));
        attn_train_rows()->add(dx[i] + at, tape->dmerged + at, count, weights[i]);
    }
    if (!learns(pass))
        return;
    attn_real dl = weights[0] * weights[1] * dot_difference(tape->dmerged + at, x[0] + at, x[1] + at, count);
    pool_backward(dx[0] + at, tape, dl, x[0] + at, u, 0, w, dw, pass);
    pool_backward(dx[1] + at, tape, -dl, x[1] + at, u, 1, w, dw, pass);
}

void attn_train_merge_backward(attn_real *dx1, attn_real *dx2, const attn_real *dx, attn_merge_tape *tape,
                               const attn_real *x1, const attn_real *x2, const attn_merger *w,
                               const attn_merger *dw, const attn_train_pass *pass) {
    size_t rows = pass->rows.rows, d_model = pass->config->attention.d_model;
    const attn_real *const branches[2] = {x1, x2};
    attn_real *const gradients[2] = {dx1, dx2};
    memcpy(tape->out, dx, rows * d_model * sizeof *dx);
    attn_train_dropout(tape->out, rows * d_model, ATTN_DROP_MERGED, 0, pass);
    attn_train_linear_backward(tape->dmerged, 0, tape->out, tape->merged, &w->merge_proj, &dw->merge_proj,
                               rows);
    if (!concatenates(pass)) {
        for (size_t u = 0; u < pass->rows.utterances; u++)
            average_backward(gradients, tape, branches, u, w, dw, pass);
        return;
    }
    for (size_t r = 0; r < rows; r++) {
        memcpy(dx1 + r * d_model, tape->dmerged + 2 * r * d_model, d_model * sizeof *dx);
        memcpy(dx2 + r * d_model, tape->dmerged + (2 * r + 1) * d_model, d_model * sizeof *dx);
    }
}
