/* The kind machine/<what>: limits of this machine, measured, for rooflines. Each has a known answer. */
#include "bench/field.h"
#include "bench/kind.h"
#include "bench/machine_kernels.h"

#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/random.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>

enum { ROUNDS = 1 << 16 };     /* of multiply-adds in an iteration; sums stay exact below 2^24 */
enum { LEAST_READ = 4 << 20 }; /* a small working set is read again up to this in an iteration */
enum { BLOCK = 1 << 20 };      /* floats summed at once; sums of 0 and 1 stay exact */
enum { COMPARED = 256 };       /* entries of the matrix product that are compared */

static bool takes_isa(const bench_case *c) {
    return c->where & (BENCH_FLOPS | BENCH_READ);
}

static int subject(bench_case *c, char *const *words, attn_error *error) {
    snprintf(c->subject, sizeof c->subject, "%s", words[0]);
    c->where = bench_where_find("machine", words[0]);
    if (c->where)
        return 0;
    return attn_fail(error, "\"%s\": not a limit of the machine, expected one of flops, read, sgemm",
                     words[0]);
}

static void defaults(bench_case *c) {
    c->isa = attn_cpu_isa();
}

static int complete(bench_case *c, attn_error *error) {
    if (c->where == BENCH_READ && c->bytes % sizeof(float))
        return attn_fail(error, "bytes: found %zu, expected a multiple of %zu", c->bytes, sizeof(float));
    return 0;
}

#if defined(__x86_64__)
extern const machine_kernels machine_base, machine_avx2, machine_avx512;
static const machine_kernels *const by_isa[] = {&machine_base, &machine_avx2, &machine_avx512};
#else
extern const machine_kernels machine_base;
static const machine_kernels *const by_isa[] = {&machine_base};
#endif

const machine_kernels *machine_kernels_for(unsigned isa) {
    return isa < sizeof by_isa / sizeof by_isa[0] ? by_isa[isa] : NULL;
}

typedef struct machine {
    bench_case row;
    const machine_kernels *kernels;
    size_t passes;    /* read: over the working set, in an iteration */
    double answer;    /* what an iteration must find */
    double found;     /* what the last one found */
    float *x, *y, *z; /* read: x; sgemm: z = x y */
} machine;

static void release(void *state) {
    machine *m = state;
    attn_free(m->x);
    attn_free(m->y);
    attn_free(m->z);
    attn_free(m);
}

static int prepare_flops(machine *m) {
    double chains = MACHINE_CHAINS * (MACHINE_CHAINS - 1) / 2.0 + (double)MACHINE_CHAINS * ROUNDS;
    m->answer = chains * (double)m->kernels->lanes;
    return 0;
}

static int prepare_read(machine *m, uint64_t seed, attn_error *error) {
    size_t n = m->row.bytes / sizeof(float);
    m->x = attn_alloc(n, sizeof(float), "working set", error);
    if (!m->x)
        return -1;
    m->passes = m->row.bytes < LEAST_READ ? LEAST_READ / m->row.bytes : 1;
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

static int prepare_sgemm(machine *m, uint64_t seed, attn_error *error) {
    size_t size = m->row.n * m->row.n;
    m->x = small_numbers(size, &seed, error);
    m->y = small_numbers(size, &seed, error);
    m->z = attn_alloc(size, sizeof(float), "matrix", error);
    return m->x && m->y && m->z ? 0 : -1;
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    if (takes_isa(c) && (c->isa > (unsigned)attn_cpu_detected() || !machine_kernels_for(c->isa))) {
        attn_fail(error, "isa: this CPU does not have %s", attn_isa_names[c->isa]);
        return BENCH_UNSUPPORTED;
    }
    machine *m = attn_alloc(1, sizeof *m, "set-up of a case", error);
    if (!m)
        return -1;
    m->row = *c;
    m->kernels = takes_isa(c) ? machine_kernels_for(c->isa) : NULL;
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
    machine *m = state;
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
static double sgemm_error(const machine *m, uint64_t random) {
    double largest = 0.0;
    for (int i = 0; i < COMPARED; i++) {
        size_t n = m->row.n, r = attn_random_below(&random, n), c = attn_random_below(&random, n);
        double sum = 0.0;
        for (size_t k = 0; k < n; k++)
            sum += (double)m->x[r * n + k] * (double)m->y[k * n + c];
        double error = fabs((double)m->z[r * n + c] - sum);
        if (!(error <= largest))
            largest = error;
    }
    return largest;
}

static int check(void *state, bench_check *check_, attn_error *error) {
    machine *m = state;
    (void)error;
    run(m);
    *check_ = (bench_check){.rows = 1};
    check_->max_error = m->z ? sgemm_error(m, 1) : fabs(m->found - m->answer);
    check_->ok = check_->max_error <= 0.0;
    if (!check_->ok)
        snprintf(check_->what, sizeof check_->what, "%s is off its known answer by %g", m->row.subject,
                 check_->max_error);
    return 0;
}

static void rewind_nothing(void *state) {
    (void)state;
}

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const machine *m = state;
    double n = (double)m->row.n, read = (double)m->row.bytes * (double)m->passes;
    *cache_bytes = 0.0;
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

const bench_kind_ops bench_machine = {.kind = BENCH_MACHINE,
                                      .name = "machine",
                                      .words = 1,
                                      .form = "machine/<flops|read|sgemm>/<key:value>/...",
                                      .subject = subject,
                                      .defaults = defaults,
                                      .complete = complete,
                                      .prepare = prepare,
                                      .check = check,
                                      .rewind = rewind_nothing,
                                      .run = run,
                                      .values = values,
                                      .release = release};
