/* Scores and contexts of one head over one utterance (Vaswani et al. 2017, eq. 1; with positions Dai et al.
 * 2019, section 3.3):
 *
 *   s_ij = ((q_i + u) . k_j + (q_i + v) . p_ij) / sqrt(d_k),  w = softmax(s) over j,  o_i = sum_j w_ij v_j.
 *
 *   dw_ij = do_i . v_j,  dv_j = sum_i w_ij do_i,  ds_i = w_i (dw_i - sum_j w_ij dw_ij) / sqrt(d_k),
 *   dq_i = sum_j ds_ij (k_j + p_ij),  dk_j = sum_i ds_ij (q_i + u),  dp_ij += ds_ij (q_i + v),
 *   du = sum_ij ds_ij k_j,  dv = sum_ij ds_ij p_ij.
 *
 * p_ij is the projected position i - j under rel_pos: column T - 1 - i + j of the products with positions
 * T - 1 .. -(T - 1), which is element T - 1 + i (2 T - 2) + j of that matrix. Under rel_pos_wenet it is j's. */
#include "impl/train/passes/attention.h"
#include "impl/train/passes/share.h"

#include <math.h>
#include <string.h>

void attn_train_softmax_layout(attn_attention_tape *tape, const attn_layer *w,
                               const attn_train_positions *positions, const attn_train_pass *pass,
                               attn_layouts *at) {
    size_t d_model = w->geometry.d_model, longest = pass->rows.longest, threads = attn_threads_in_use();
    tape->weights = attn_arena_reals(&at->keep, pass->rows.squares, w->geometry.num_heads);
    tape->scores = attn_arena_reals(&at->scratch, threads * longest, longest);
    if (!positions->count)
        return;
    tape->positions = attn_arena_reals(&at->keep, positions->count, d_model);
    tape->dpositions = attn_arena_reals(&at->scratch, positions->count, d_model);
    tape->shifted = attn_arena_reals(&at->scratch, threads * longest, 2 * longest);
    tape->biased = attn_arena_reals(&at->scratch, threads * longest, attn_head_dim(&w->geometry));
}

/* One head of one utterance. */
typedef struct head {
    const attn_real *q, *k, *v;
    const attn_real *positions; /* of the first position that the utterance uses; NULL: none */
    const attn_real *u_bias, *v_bias;
    attn_real *dpositions, *du_bias, *dv_bias;
    attn_real *scores, *shifted, *biased; /* scratch of its thread */
    attn_real *weights, *context, *dq, *dk, *dv, *dcontext;
    size_t frames, d_k, d_model, kv_width, lane;
    bool shifts; /* rel_pos */
    attn_real scale;
} head;

static size_t kv_width(const attn_layer *w) {
    return attn_kv_heads(&w->geometry) * attn_head_dim(&w->geometry);
}

static void head_positions(head *h, const attn_attention_tape *tape, const attn_layer *w,
                           const attn_layer *dw, const attn_train_pass *pass, size_t i) {
    size_t column = i * h->d_k;
    h->shifts = w->geometry.pos_enc == ATTN_POS_REL;
    size_t first = h->shifts ? pass->rows.longest - h->frames : 0;
    h->positions = tape->positions + first * h->d_model + column;
    h->dpositions = tape->dpositions + first * h->d_model + column;
    h->u_bias = attn_values(w->pos_bias_u) + column;
    h->v_bias = attn_values(w->pos_bias_v) + column;
    if (dw) {
        h->du_bias = attn_gradients(dw->pos_bias_u) + column;
        h->dv_bias = attn_gradients(dw->pos_bias_v) + column;
    }
}

/* weights: where those of the utterance begin. */
static head head_of(const attn_attention_tape *tape, const attn_layer *w, const attn_layer *dw,
                    const attn_train_positions *positions, const attn_train_pass *pass, size_t u, size_t i,
                    attn_real *weights) {
    size_t d_model = w->geometry.d_model, d_k = attn_head_dim(&w->geometry), width = kv_width(w);
    size_t frames = attn_ragged_length(&pass->rows, u), start = pass->rows.start[u];
    size_t at = start * d_model + i * d_k, group = w->geometry.num_heads / attn_kv_heads(&w->geometry);
    size_t kv = start * width + i / group * d_k;
    head h = {.q = tape->q + at,
              .k = tape->k + kv,
              .v = tape->v + kv,
              .weights = weights + i * frames * frames,
              .context = tape->context + at,
              .dq = tape->dq + at,
              .dk = tape->dk + kv,
              .dv = tape->dv + kv,
              .dcontext = tape->dcontext + at,
              .frames = frames,
              .d_k = d_k,
              .d_model = d_model,
              .kv_width = width,
              .lane = u * w->geometry.num_heads + i,
              .scale = (attn_real)(1.0 / sqrt((double)d_k))};
    if (positions->count)
        head_positions(&h, tape, w, dw, pass, i);
    return h;
}

static void add_bias(attn_real *biased, const head *h, const attn_real *bias) {
    for (size_t t = 0; t < h->frames; t++)
        for (size_t c = 0; c < h->d_k; c++)
            biased[t * h->d_k + c] = h->q[t * h->d_model + c] + bias[c];
}

/* weights = (q + v) . p */
static void position_scores(const head *h) {
    size_t n = h->frames, columns = h->shifts ? 2 * n - 1 : n;
    attn_real *products = h->shifts ? h->shifted : h->weights;
    add_bias(h->biased, h, h->v_bias);
    attn_real_gemm_nt(n, columns, h->d_k, 1, h->biased, h->d_k, h->positions, h->d_model, 0, products,
                      columns);
    for (size_t t = 0; h->shifts && t < n; t++)
        memcpy(h->weights + t * n, products + n - 1 + t * (2 * n - 2), n * sizeof *products);
}

/* The weights as values see them: in scores where there is dropout. */
static const attn_real *dropped_weights(const head *h, const attn_train_pass *pass) {
    size_t count = h->frames * h->frames;
    if (!(pass->dropout > 0))
        return h->weights;
    memcpy(h->scores, h->weights, count * sizeof *h->weights);
    attn_train_dropout(h->scores, count, ATTN_DROP_SCORES, h->lane, pass);
    return h->scores;
}

static void attend(const head *h, const attn_train_pass *pass) {
    size_t n = h->frames;
    const attn_real *q = h->q;
    size_t ldq = h->d_model;
    if (h->positions) {
        position_scores(h);
        add_bias(h->biased, h, h->u_bias);
        q = h->biased;
        ldq = h->d_k;
    }
    attn_real_gemm_nt(n, n, h->d_k, 1, q, ldq, h->k, h->kv_width, h->positions ? 1 : 0, h->weights, n);
    for (size_t t = 0; t < n; t++)
        attn_train_rows()->softmax(h->weights + t * n, n, h->scale);
    attn_real_gemm_nn(n, h->d_k, n, 1, dropped_weights(h, pass), n, h->v, h->kv_width, 0, h->context,
                      h->d_model);
}

/* From ds [T, T] in scores: dq is set, dk is added to. Without positions. */
static void content_backward(const head *h, const attn_real *q, size_t ldq) {
    size_t n = h->frames;
    attn_real_gemm_nn(n, h->d_k, n, 1, h->scores, n, h->k, h->kv_width, 0, h->dq, h->d_model);
    attn_real_gemm_tn(n, h->d_k, n, 1, h->scores, n, q, ldq, 1, h->dk, h->kv_width);
}

static void add_to_bias(attn_real *dbias, const attn_real *rows, const head *h, size_t stride) {
    for (size_t t = 0; t < h->frames; t++)
        attn_train_rows()->add(dbias, rows + t * stride, h->d_k, 1);
}

/* The position term's part: dq and dpositions are added to, and the biases' gradients. */
static void position_backward(const head *h) {
    size_t n = h->frames, columns = h->shifts ? 2 * n - 1 : n;
    const attn_real *products = h->scores;
    if (h->shifts) {
        memset(h->shifted, 0, n * columns * sizeof *h->shifted);
        for (size_t t = 0; t < n; t++)
            memcpy(h->shifted + n - 1 + t * (2 * n - 2), h->scores + t * n, n * sizeof *products);
        products = h->shifted;
    }
    add_to_bias(h->du_bias, h->dq, h, h->d_model); /* dq is the content's part yet */
    add_bias(h->biased, h, h->v_bias);
    attn_real_gemm_tn(columns, h->d_k, n, 1, products, columns, h->biased, h->d_k, 1, h->dpositions,
                      h->d_model);
    attn_real_gemm_nn(n, h->d_k, columns, 1, products, columns, h->positions, h->d_model, 0, h->biased,
                      h->d_k);
    add_to_bias(h->dv_bias, h->biased, h, h->d_k);
    for (size_t t = 0; t < n; t++)
        attn_train_rows()->add(h->dq + t * h->d_model, h->biased + t * h->d_k, h->d_k, 1);
}

static void attend_backward(const head *h, const attn_train_pass *pass) {
    size_t n = h->frames;
    attn_real_gemm_tn(n, h->d_k, n, 1, dropped_weights(h, pass), n, h->dcontext, h->d_model, 1, h->dv,
                      h->kv_width);
    attn_real_gemm_nt(n, n, h->d_k, 1, h->dcontext, h->d_model, h->v, h->kv_width, 0, h->scores, n);
    attn_train_dropout(h->scores, n * n, ATTN_DROP_SCORES, h->lane, pass);
    for (size_t t = 0; t < n; t++)
        attn_train_rows()->softmax_backward(h->scores + t * n, h->weights + t * n, n, h->scale);
    if (!h->positions) {
        content_backward(h, h->q, h->d_model);
        return;
    }
    add_bias(h->biased, h, h->u_bias);
    content_backward(h, h->biased, h->d_k);
    position_backward(h);
}

/* What threads share: heads, those that have keys and values in common together. */
typedef struct attending {
    const attn_attention_tape *tape;
    const attn_layer *w, *dw; /* dw NULL: forward */
    const attn_train_positions *positions;
    const attn_train_pass *pass;
} attending;

static void attend_heads(const void *context, size_t begin, size_t end, size_t part) {
    const attending *a = context;
    const attn_train_pass *pass = a->pass;
    size_t longest = pass->rows.longest;
    attn_real *weights = a->tape->weights;
    for (size_t u = 0; u < pass->rows.utterances; u++) {
        size_t frames = attn_ragged_length(&pass->rows, u);
        for (size_t i = begin; frames && i < end; i++) {
            head h = head_of(a->tape, a->w, a->dw, a->positions, pass, u, i, weights);
            h.scores = a->tape->scores + part * longest * longest;
            h.shifted = a->tape->shifted + part * 2 * longest * longest;
            h.biased = a->tape->biased + part * longest * h.d_k;
            (a->dw ? attend_backward : attend)(&h, pass);
        }
        weights += a->w->geometry.num_heads * frames * frames;
    }
}

static void share_heads(const attending *a) {
    const attn_geometry *g = &a->w->geometry;
    attn_train_share(g->num_heads, g->num_heads / attn_kv_heads(g), attend_heads, a);
}

void attn_train_softmax(attn_attention_tape *tape, const attn_layer *w, const attn_train_positions *positions,
                        const attn_train_pass *pass) {
    if (positions->count)
        attn_train_linear(tape->positions, positions->table, &w->linear_pos, positions->count);
    share_heads(&(attending){tape, w, NULL, positions, pass});
}

void attn_train_softmax_backward(attn_attention_tape *tape, const attn_layer *w, const attn_layer *dw,
                                 const attn_train_positions *positions, const attn_train_pass *pass) {
    size_t kv_count = pass->rows.rows * kv_width(w);
    memset(tape->dk, 0, kv_count * sizeof *tape->dk);
    memset(tape->dv, 0, kv_count * sizeof *tape->dv);
    if (positions->count)
        memset(tape->dpositions, 0, positions->count * w->geometry.d_model * sizeof *tape->dpositions);
    share_heads(&(attending){tape, w, dw, positions, pass});
    if (positions->count)
        attn_train_linear_backward(NULL, 0, tape->dpositions, positions->table, &w->linear_pos,
                                   &dw->linear_pos, positions->count);
}
