/* AdamW (Loshchilov and Hutter 2019, algorithm 2): weight decay is decoupled from the moments. */
#include "attn/train.h"

#include <math.h>

static void update(float *restrict w, const float *restrict g, float *restrict m, float *restrict v, size_t n,
                   const attn_adamw *o, float rate, float unbias, float decay) {
    float beta1 = (float)o->beta1, beta2 = (float)o->beta2, eps = (float)o->eps;
    float new1 = (float)(1.0 - o->beta1), new2 = (float)(1.0 - o->beta2);
    for (size_t i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + new1 * g[i];
        v[i] = beta2 * v[i] + new2 * g[i] * g[i];
        w[i] = w[i] * decay - rate * m[i] / (sqrtf(v[i]) * unbias + eps);
    }
}

void attn_adamw_step(const attn_parameters *w, const attn_parameters *gradient, const attn_parameters *m,
                     const attn_parameters *v, const attn_adamw *options, uint64_t step) {
    double t = (double)step, lr = options->learning_rate;
    float rate = (float)(lr / (1.0 - pow(options->beta1, t)));
    float unbias = (float)(1.0 / sqrt(1.0 - pow(options->beta2, t)));
    for (size_t i = 0; i < w->count; i++)
        update(w->at[i].data, gradient->at[i].data, m->at[i].data, v->at[i].data, w->at[i].count, options,
               rate, unbias, w->at[i].decays ? (float)(1.0 - lr * options->weight_decay) : 1.0f);
}

double attn_learning_rate(double peak, uint64_t step, uint64_t warmup, uint64_t total, double floor) {
    if (step < warmup)
        return peak * (double)step / (double)warmup;
    if (total <= warmup)
        return peak;
    double along = (double)(step - warmup) / (double)(total - warmup);
    double left = 1.0 - (1.0 - floor) * along;
    return peak * (left > floor ? left : floor);
}
