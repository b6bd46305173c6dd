/* machine/flops, read and sgemm: peaks of arithmetic, and bandwidth of reading a working set. */
#include "bench/limits/machine_kernels.h"
#include "bench/limits/machine_limit.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <cblas.h>
#include <math.h>

enum { ROUNDS = 1 << 16 }; /* of multiply-adds in an iteration; sums stay exact below 2^24 */
enum { BLOCK = 1 << 20 };  /* floats summed at once; sums of 0 and 1 stay exact */
enum { COMPARED = 256 };   /* entries of the matrix product that are compared */

typedef struct rate {
    bench_case row;
    const machine_kernels *kernels;
    size_t passes;    /* read: over the working set, in an iteration */
    double answer;    /* what an iteration must find */
    double found;     /* what the last one found */
    float *x, *y, *z; /* read: x; sgemm: z = x y */
} rate;

static void release(void *state) {
    rate *m = state;
    attn_free(m->x);
    attn_free(m->y);
    attn_free(m->z);
    attn_free(m);
}

static int prepare_flops(rate *m) {
    double chains = MACHINE_CHAINS * (MACHINE_CHAINS - 1) / 2.0 + (double)MACHINE_CHAINS * ROUNDS;
    m->answer = chains * (double)m->kernels->lanes;
    return 0;
}

static int prepare_read(rate *m, uint64_t seed, attn_error *error) {
    size_t n = m->row.bytes / sizeof(float);
    m->x = attn_alloc(n, sizeof(float), "working set", error);
    if (!m->x)
        return -1;
    m->passes = machine_passes(m->row.bytes, m->row.threads);
    double ones = 0.0;
    for (size_t i = 0; i < n; i++) {
        m->x[i] = (float)(attn_random_next(&seed) & 1);
        ones += (double)m->x[i];
    }
    m->answer = ones * (double)m->passes;
    return 0;
}

/* Small whole numbers, so that every sum is exact in any order. */
static float *small_numbers(size_t count, uint64_t *random, attn_error *error) {
    float *x = attn_alloc(count, sizeof(float), "matrix", error);
    for (size_t i = 0; x && i < count; i++)
        x[i] = (float)attn_random_below(random, 5) - 2.0f;
    return x;
}

static int prepare_sgemm(rate *m, uint64_t seed, attn_error *error) {
    size_t size = m->row.n * m->row.n;
    m->x = small_numbers(size, &seed, error);
    m->y = small_numbers(size, &seed, error);
    m->z = attn_alloc(size, sizeof(float), "matrix", error);
    return m->x && m->y && m->z ? 0 : -1;
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    rate *m = attn_alloc(1, sizeof *m, "set-up of a case", error);
    if (!m)
        return -1;
    m->row = *c;
    m->kernels = c->where == BENCH_SGEMM ? NULL : machine_kernels_for(c->isa);
    if (c->where == BENCH_FLOPS  ? prepare_flops(m)
        : c->where == BENCH_READ ? prepare_read(m, settings->seed, error)
                                 : prepare_sgemm(m, settings->seed, error)) {
        release(m);
        return -1;
    }
    *state = m;
    return 0;
}

static void run(void *state) {
    rate *m = state;
    if (m->z) {
        int n = (int)m->row.n;
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 1.0f, m->x, n, m->y, n, 0.0f, m->z,
                    n);
        return;
    }
    if (!m->x) {
        m->found = m->kernels->multiply_add(ROUNDS, 1.0f, 1.0f);
        return;
    }
    size_t n = m->row.bytes / sizeof(float);
    m->found = 0.0;
    for (size_t i = 0; i < n; i += BLOCK)
        m->found += m->kernels->sum(m->x + i, n - i < BLOCK ? n - i : BLOCK, m->passes);
}

/* The largest error over a seeded sample of entries. */
static double sgemm_error(const rate *m, uint64_t random) {
    double largest = 0.0;
    for (int i = 0; i < COMPARED; i++) {
        size_t n = m->row.n, r = attn_random_below(&random, n), c = attn_random_below(&random, n);
        double sum = 0.0;
        for (size_t k = 0; k < n; k++)
            sum += (double)m->x[r * n + k] * (double)m->y[k * n + c];
        largest = machine_worse(largest, fabs((double)m->z[r * n + c] - sum));
    }
    return largest;
}

static double off(void *state) {
    rate *m = state;
    run(m);
    return m->z ? sgemm_error(m, 1) : fabs(m->found - m->answer);
}

static void values(const void *state, bench_emit_number *emit, void *to) {
    const rate *m = state;
    double n = (double)m->row.n, read = (double)m->row.bytes * (double)m->passes;
    if (m->z) {
        emit(to, "flops", 2 * n * n * n);
        emit(to, "bytes", 3 * n * n * sizeof(float));
    } else if (m->x) {
        emit(to, "flops", read / sizeof(float));
        emit(to, "bytes", read);
    } else {
        emit(to, "flops", 2.0 * ROUNDS * MACHINE_CHAINS * (double)m->kernels->lanes);
        emit(to, "bytes", 0.0);
    }
}

#define RATE(where_)                                                                                         \
    { .where = where_, .prepare = prepare, .run = run, .off = off, .values = values, .release = release }
const machine_limit limit_flops = RATE(BENCH_FLOPS), limit_read = RATE(BENCH_READ),
                    limit_sgemm = RATE(BENCH_SGEMM);
