/* linear: o_t = S^T phi(q_t) / D_t, D_t = z . phi(q_t) + 1e-6, S = sum_s phi(k_s) v_s^T, z = sum_s phi(k_s),
 * phi = elu + 1 (Katharopoulos et al. 2020, eq. 5-7). With n_t = do_t / D_t and e_t = -n_t . o_t:
 *
 *   dphi(q_t) = S n_t + e_t z,  dS = sum_t phi(q_t) n_t^T,  dz = sum_t e_t phi(q_t),
 *   dphi(k_s) = dS v_s + dz,  dv_s = dS^T phi(k_s). */
#include "impl/train/passes/attention.h"

#include <string.h>

static const attn_real epsilon = (attn_real)1e-6;

static void layout(attn_attention_tape *tape, const attn_layer *w, const attn_train_pass *pass,
                   attn_layouts *at) {
    size_t d_k = attn_head_dim(&w->geometry), heads = w->geometry.num_heads;
    tape->state = attn_arena_reals(&at->keep, pass->rows.utterances * heads, d_k * (d_k + 1));
    tape->denominator = attn_arena_reals(&at->keep, pass->rows.rows, heads);
    tape->dstate = attn_arena_reals(&at->scratch, d_k, d_k + 1);
}

static attn_real dot(const attn_real *a, const attn_real *b, size_t n) {
    attn_real sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* One head of one utterance: pointers to its first row's columns, and its state. */
typedef struct head {
    attn_real *q, *k, *v, *context, *denominator, *state, *z; /* denominators are `heads` apart */
    attn_real *dq, *dk, *dv, *dcontext;
    size_t frames, d_k, d_model, heads;
} head;

static head head_of(const attn_attention_tape *tape, const attn_layer *w, const attn_train_pass *pass,
                    size_t u, size_t i) {
    size_t d_model = w->geometry.d_model, heads = w->geometry.num_heads, d_k = attn_head_dim(&w->geometry);
    size_t at = pass->rows.start[u] * d_model + i * d_k;
    attn_real *state = tape->state + (u * heads + i) * d_k * (d_k + 1);
    return (head){.q = tape->q + at,
                  .k = tape->k + at,
                  .v = tape->v + at,
                  .context = tape->context + at,
                  .denominator = tape->denominator + pass->rows.start[u] * heads + i,
                  .state = state,
                  .z = state + d_k * d_k,
                  .dq = tape->dq + at,
                  .dk = tape->dk + at,
                  .dv = tape->dv + at,
                  .dcontext = tape->dcontext + at,
                  .frames = attn_ragged_length(&pass->rows, u),
                  .d_k = d_k,
                  .d_model = d_model,
                  .heads = heads};
}

static void attend(const head *h) {
    size_t d = h->d_model, n = h->d_k;
    memset(h->state, 0, n * (n + 1) * sizeof *h->state);
    attn_real_gemm_tn(n, n, h->frames, 1, h->k, d, h->v, d, 0, h->state, n);
    for (size_t t = 0; t < h->frames; t++)
        attn_train_rows()->add(h->z, h->k + t * d, n, 1);
    attn_real_gemm_nn(h->frames, n, n, 1, h->q, d, h->state, n, 0, h->context, d);
    for (size_t t = 0; t < h->frames; t++) {
        attn_real denominator = dot(h->q + t * d, h->z, n) + epsilon;
        h->denominator[t * h->heads] = denominator;
        for (size_t c = 0; c < n; c++)
            h->context[t * d + c] /= denominator;
    }
}

static void attend_backward(const head *h, attn_real *dstate) {
    size_t d = h->d_model, n = h->d_k;
    attn_real *dz = dstate + n * n;
    memset(dz, 0, n * sizeof *dz);
    for (size_t t = 0; t < h->frames; t++) { /* dcontext becomes n_t */
        for (size_t c = 0; c < n; c++)
            h->dcontext[t * d + c] /= h->denominator[t * h->heads];
        attn_real e = -dot(h->dcontext + t * d, h->context + t * d, n);
        for (size_t c = 0; c < n; c++)
            h->dq[t * d + c] = e * h->z[c];
        attn_train_rows()->add(dz, h->q + t * d, n, e);
    }
    attn_real_gemm_nt(h->frames, n, n, 1, h->dcontext, d, h->state, n, 1, h->dq, d);
    attn_real_gemm_tn(n, n, h->frames, 1, h->q, d, h->dcontext, d, 0, dstate, n);
    for (size_t t = 0; t < h->frames; t++)
        memcpy(h->dk + t * d, dz, n * sizeof *dz);
    attn_real_gemm_nt(h->frames, n, n, 1, h->v, d, dstate, n, 1, h->dk, d);
    attn_real_gemm_nn(h->frames, n, n, 1, h->k, d, dstate, n, 0, h->dv, d);
}

static void forward(attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                    const attn_train_pass *pass) {
    size_t rows = pass->rows.rows, count = rows * w->geometry.d_model;
    attn_train_linear(tape->k, x, &w->k_proj, rows);
    attn_train_linear(tape->v, x, &w->v_proj, rows);
    attn_train_rows()->elu_plus_one(tape->q, count);
    attn_train_rows()->elu_plus_one(tape->k, count);
    for (size_t u = 0; u < pass->rows.utterances; u++)
        for (size_t i = 0; i < w->geometry.num_heads; i++) {
            head h = head_of(tape, w, pass, u, i);
            attend(&h);
        }
}

static void backward(attn_real *dx, attn_attention_tape *tape, const attn_real *x, const attn_layer *w,
                     const attn_layer *dw, const attn_train_pass *pass) {
    size_t rows = pass->rows.rows, count = rows * w->geometry.d_model;
    for (size_t u = 0; u < pass->rows.utterances; u++)
        for (size_t i = 0; i < w->geometry.num_heads; i++) {
            head h = head_of(tape, w, pass, u, i);
            attend_backward(&h, tape->dstate);
        }
    attn_train_rows()->elu_plus_one_backward(tape->dq, tape->q, count);
    attn_train_rows()->elu_plus_one_backward(tape->dk, tape->k, count);
    attn_train_linear_backward(dx, 1, tape->dk, x, &w->k_proj, &dw->k_proj, rows);
    attn_train_linear_backward(dx, 1, tape->dv, x, &w->v_proj, &dw->v_proj, rows);
}

const attn_train_variant attn_train_linear_attention = {"linear", layout, forward, backward};
