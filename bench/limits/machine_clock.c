/* machine/clock: the core's clock while it runs code of an instruction set. A step is a cycle. */
#include "bench/limits/machine_clock.h"
#include "bench/limits/machine_limit.h"

#include "attn/alloc.h"

#include <math.h>

enum { ROUNDS = 1 << 14 };
static const double CYCLES = (double)ROUNDS * MACHINE_CLOCK_ADDS;

typedef struct clock_state {
    machine_clock *loop;
    uint64_t sum;
    float lane;
} clock_state;

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    (void)settings;
    clock_state *s = attn_alloc(1, sizeof *s, "set-up of a case", error);
    if (!s)
        return -1;
    s->loop = machine_clock_for(c->isa);
    *state = s;
    return 0;
}

static void run(void *state) {
    clock_state *s = state;
    s->sum = s->loop(ROUNDS, 1, &s->lane);
}

static double off(void *state) {
    clock_state *s = state;
    run(s);
    return fabs((double)s->sum - CYCLES) + fabs((double)s->lane - ROUNDS * MACHINE_CLOCK_VECTORS / 4.0);
}

static void values(const void *state, bench_emit_number *emit, void *to) {
    (void)state;
    emit(to, "flops", 0);
    emit(to, "bytes", 0);
    emit(to, "steps", CYCLES);
}

const machine_limit limit_clock = {
    .where = BENCH_CLOCK, .prepare = prepare, .run = run, .off = off, .values = values, .release = attn_free};
