/* CTC (Graves et al. 2006, section 4.1), in logarithms and in double. The labels with a blank before, between and
 * after them are states s = 0 .. 2 L. With y_t = softmax(logits_t):
 *
 *   a_t(s) = y_t(l_s) (a_t-1(s) + a_t-1(s-1) + a_t-1(s-2) where l_s is no blank and not l_s-2)
 *   b_t(s) = sum over the same steps from s of y_t+1(l_s') b_t+1(s'),   p = a_T(2 L) + a_T(2 L - 1)
 *   dloss / dlogit_t(k) = y_t(k) - sum over s with l_s = k of a_t(s) b_t(s) / p */
#include "impl/train/passes/ctc.h"

#include "attn/train.h"

#include <math.h>
#include <string.h>

typedef struct alignment {
    const int32_t *labels;
    size_t count, states, frames, vocab;
    double *log_y; /* [frames, vocab] */
    double *alpha; /* [frames, states] */
    double *beta;  /* [2, states]: of this frame, and with y of the next frame in it */
} alignment;

static int32_t label_of(const alignment *a, size_t s) {
    return s % 2 ? a->labels[s / 2] : 0;
}

/* Whether a path may go from s - 2 to s. */
static bool skips(const alignment *a, size_t s) {
    return s % 2 && s >= 2 && a->labels[s / 2] != a->labels[s / 2 - 1];
}

static double log_sum(double a, double b, double c) {
    double most = a > b ? a : b;
    most = most > c ? most : c;
    if (most == -INFINITY)
        return a + b + c; /* a NaN among them comes out */
    return most + log(exp(a - most) + exp(b - most) + exp(c - most));
}

static void log_softmax(double *out, const attn_real *logits, size_t n) {
    double most = logits[0];
    for (size_t i = 1; i < n; i++)
        most = logits[i] > most ? logits[i] : most;
    double sum = exp((double)logits[0] - most);
    for (size_t i = 1; i < n; i++)
        sum += exp((double)logits[i] - most);
    double shift = most + log(sum);
    for (size_t i = 0; i < n; i++)
        out[i] = (double)logits[i] - shift;
}

static void forward(const alignment *a) {
    for (size_t t = 0; t < a->frames; t++) {
        const double *before = a->alpha + (t - 1) * a->states, *log_y = a->log_y + t * a->vocab;
        double *now = a->alpha + t * a->states;
        for (size_t s = 0; s < a->states; s++) {
            double sum = s < 2 ? 0 : -INFINITY;
            if (t)
                sum = log_sum(before[s], s ? before[s - 1] : -INFINITY,
                              skips(a, s) ? before[s - 2] : -INFINITY);
            now[s] = sum + log_y[label_of(a, s)];
        }
    }
}

static double log_probability(const alignment *a) {
    const double *last = a->alpha + (a->frames - 1) * a->states;
    return log_sum(last[a->states - 1], a->count ? last[a->states - 2] : -INFINITY, -INFINITY);
}

/* beta of frame t; `next` is beta of frame t + 1 times its y, and becomes that of t. */
static void step_back(const alignment *a, size_t t, double *beta, double *next) {
    for (size_t s = 0; s < a->states; s++)
        if (t + 1 == a->frames)
            beta[s] = s + 2 >= a->states ? 0 : -INFINITY;
        else
            beta[s] = log_sum(next[s], s + 1 < a->states ? next[s + 1] : -INFINITY,
                              s + 2 < a->states && skips(a, s + 2) ? next[s + 2] : -INFINITY);
    for (size_t s = 0; s < a->states; s++)
        next[s] = beta[s] + a->log_y[t * a->vocab + (size_t)label_of(a, s)];
}

/* Takes each frame's row of log_y for the gradient. */
static void backward(attn_real *dlogits, double factor, const alignment *a, double log_p) {
    double *beta = a->beta, *next = beta + a->states;
    for (size_t t = a->frames; t-- > 0;) {
        double *row = a->log_y + t * a->vocab;
        const double *alpha = a->alpha + t * a->states;
        step_back(a, t, beta, next);
        for (size_t k = 0; k < a->vocab; k++)
            row[k] = exp(row[k]);
        for (size_t s = 0; s < a->states; s++)
            row[label_of(a, s)] -= exp(alpha[s] + beta[s] - log_p);
        for (size_t k = 0; k < a->vocab; k++)
            dlogits[t * a->vocab + k] = (attn_real)(factor * row[k]);
    }
}

double attn_train_ctc_real(attn_real *dlogits, double factor, const attn_real *logits, size_t frames,
                           size_t vocab, const int32_t *labels, size_t label_count, void *workspace,
                           bool *feasible) {
    size_t least = attn_train_ctc_least_frames(labels, label_count);
    if (feasible)
        *feasible = least <= frames;
    if (least > frames || !frames) {
        if (dlogits)
            memset(dlogits, 0, frames * vocab * sizeof *dlogits);
        return 0;
    }
    alignment a = {.labels = labels,
                   .count = label_count,
                   .states = 2 * label_count + 1,
                   .frames = frames,
                   .vocab = vocab,
                   .log_y = workspace};
    a.alpha = a.log_y + frames * vocab;
    a.beta = a.alpha + frames * a.states;
    for (size_t t = 0; t < frames; t++)
        log_softmax(a.log_y + t * vocab, logits + t * vocab, vocab);
    forward(&a);
    double log_p = log_probability(&a);
    if (dlogits)
        backward(dlogits, factor, &a, log_p);
    return -log_p;
}
