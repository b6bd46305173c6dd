#include "harness/machine/sgemm_rate.h"

#include "base/clock.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <cblas.h>

enum { CALLS = 3 };

static double run(const sgemm_rate *rate) {
    const blasint n = SGEMM_RATE_N;
    const size_t count = (size_t)SGEMM_RATE_N * SGEMM_RATE_N;
    double start = clock_now();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, n, 1.0f, rate->matrices, n,
                rate->matrices + count, n, 0.0f, rate->matrices + 2 * count, n);
    return clock_now() - start;
}

int sgemm_rate_init(sgemm_rate *rate, attn_error *error) {
    uint64_t random = 1;
    size_t count = (size_t)SGEMM_RATE_N * SGEMM_RATE_N;
    *rate = (sgemm_rate){.matrices = attn_alloc(3 * count, sizeof(float), "matrices of sgemm", error)};
    if (!rate->matrices)
        return -1;
    attn_random_uniform(rate->matrices, 2 * count, 1.0f, &random);
    run(rate);
    return 0;
}

void sgemm_rate_free(sgemm_rate *rate) {
    attn_free(rate->matrices);
    *rate = (sgemm_rate){0};
}

void sgemm_rate_sample(sgemm_rate *rate) {
    const double flops = 2.0 * SGEMM_RATE_N * SGEMM_RATE_N * SGEMM_RATE_N;
    for (int i = 0; i < CALLS; i++) {
        double found = flops / run(rate);
        rate->best = found > rate->best ? found : rate->best;
    }
}
