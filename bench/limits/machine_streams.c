/* machine/write, copy, triad and nt_write: bandwidth of a core over a working set. */
#include "bench/limits/machine_streams.h"
#include "bench/limits/machine_limit.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "attn/size.h"

#include <math.h>

enum { LINE = 16 }; /* floats */
static const float VALUE = 3.0f;

typedef struct stream {
    const machine_streams *kernels;
    bench_where where;
    size_t arrays, n, passes; /* n: floats of an array */
    float *x, *y, *z;         /* write: x; copy: x = y; triad: x = y + VALUE z */
} stream;

static size_t arrays_of(bench_where where) {
    return where == BENCH_TRIAD ? 3 : where == BENCH_COPY ? 2 : 1;
}

static void release(void *state) {
    stream *s = state;
    attn_free(s->x);
    attn_free(s->y);
    attn_free(s->z);
    attn_free(s);
}

/* Small whole numbers, so that every sum is exact. */
static float *numbers(size_t n, uint64_t *random, attn_error *error) {
    float *x = attn_alloc(n, sizeof *x, "working set", error);
    for (size_t i = 0; x && i < n; i++)
        x[i] = (float)attn_random_below(random, 5) - 2.0f;
    return x;
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    const machine_streams *kernels = machine_streams_for(c->isa);
    if (c->where == BENCH_NT_WRITE && !kernels->nt_write) {
        attn_fail_as(error, ATTN_ERROR_UNSUPPORTED, "this build has no non-temporal stores");
        return BENCH_UNSUPPORTED;
    }
    stream *s = attn_alloc(1, sizeof *s, "set-up of a case", error);
    if (!s)
        return -1;
    uint64_t random = settings->seed;
    size_t arrays = arrays_of(c->where), line = LINE * sizeof(float);
    *s = (stream){
        .kernels = kernels, .where = c->where, .arrays = arrays, .n = c->bytes / arrays / line * LINE};
    s->n = s->n ? s->n : LINE;
    s->passes = machine_passes(arrays * s->n * sizeof(float), c->threads);
    s->x = attn_alloc(s->n, sizeof *s->x, "working set", error);
    s->y = arrays > 1 ? numbers(s->n, &random, error) : NULL;
    s->z = arrays > 2 ? numbers(s->n, &random, error) : NULL;
    if (!s->x || (arrays > 1 && !s->y) || (arrays > 2 && !s->z)) {
        release(s);
        return -1;
    }
    *state = s;
    return 0;
}

static void run(void *state) {
    stream *s = state;
    if (s->where == BENCH_WRITE)
        s->kernels->write(s->x, s->n, VALUE, s->passes);
    else if (s->where == BENCH_NT_WRITE)
        s->kernels->nt_write(s->x, s->n, VALUE, s->passes);
    else if (s->where == BENCH_COPY)
        s->kernels->copy(s->x, s->y, s->n, s->passes);
    else
        s->kernels->triad(s->x, s->y, s->z, VALUE, s->n, s->passes);
}

static double off(void *state) {
    stream *s = state;
    double largest = 0.0;
    for (size_t i = 0; i < s->n; i++)
        s->x[i] = NAN;
    run(s);
    for (size_t i = 0; i < s->n; i++) {
        float right = s->z ? s->y[i] + VALUE * s->z[i] : s->y ? s->y[i] : VALUE;
        largest = machine_worse(largest, fabs((double)s->x[i] - (double)right));
    }
    return largest;
}

/* What the program reads and writes: lines that a CPU fetches to overwrite them are not in it. */
static void values(const void *state, bench_emit_number *emit, void *to) {
    const stream *s = state;
    double floats = (double)s->n * (double)s->passes;
    emit(to, "flops", s->where == BENCH_TRIAD ? 2 * floats : 0);
    emit(to, "bytes", (double)s->arrays * floats * sizeof(float));
}

#define STREAM(where_)                                                                                       \
    { .where = where_, .prepare = prepare, .run = run, .off = off, .values = values, .release = release }
const machine_limit limit_write = STREAM(BENCH_WRITE), limit_copy = STREAM(BENCH_COPY),
                    limit_triad = STREAM(BENCH_TRIAD), limit_nt_write = STREAM(BENCH_NT_WRITE);
