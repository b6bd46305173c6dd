/* machine/products: peaks of what machine_units.h lists. */
#include "bench/limits/machine_units.h"
#include "bench/limits/machine_limit.h"

#include "attn/alloc.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

const char *const machine_unit_names[] = {"avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16", "amx_int8",
                                          "arm_dotprod", "arm_bf16",    "arm_i8mm", "sve",      NULL};

const machine_unit *machine_unit_find(const char *name) {
    for (size_t i = 0; i < machine_unit_count; i++)
        if (!strcmp(machine_units[i].name, name))
            return &machine_units[i];
    return NULL;
}

static sigjmp_buf back;

static void leave(int signal_) {
    (void)signal_;
    siglongjmp(back, 1);
}

bool machine_unit_runs(const machine_unit *unit) {
    struct sigaction before, catching = {.sa_handler = leave};
    volatile bool runs = false;
    if (!unit->present())
        return false;
    sigaction(SIGILL, &catching, &before);
    if (!sigsetjmp(back, 1))
        runs = unit->run(1) > 0;
    sigaction(SIGILL, &before, NULL);
    return runs;
}

typedef struct unit_state {
    const machine_unit *unit;
    double sum;
} unit_state;

static int supported(const bench_case *c, attn_error *error) {
    const char *name = machine_unit_names[c->unit];
    const machine_unit *unit = machine_unit_find(name);
    return unit && machine_unit_runs(unit)
               ? 0
               : attn_fail_as(error, ATTN_ERROR_UNSUPPORTED,
                              "unit: this CPU lacks %s, or its kernel does not offer it", name);
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    (void)settings;
    unit_state *s = attn_alloc(1, sizeof *s, "set-up of a case", error);
    if (!s)
        return -1;
    s->unit = machine_unit_find(machine_unit_names[c->unit]);
    *state = s;
    return 0;
}

static void run(void *state) {
    unit_state *s = state;
    s->sum = s->unit->run(MACHINE_UNIT_ROUNDS);
}

static double off(void *state) {
    unit_state *s = state;
    run(s);
    return fabs(s->sum - MACHINE_UNIT_ROUNDS * machine_unit_multiply_adds(s->unit));
}

static void values(const void *state, bench_emit_number *emit, void *to) {
    const unit_state *s = state;
    emit(to, "flops", 2 * MACHINE_UNIT_ROUNDS * machine_unit_multiply_adds(s->unit));
    emit(to, "bytes", 0);
}

const machine_limit limit_products = {.where = BENCH_PRODUCTS,
                                      .supported = supported,
                                      .prepare = prepare,
                                      .run = run,
                                      .off = off,
                                      .values = values,
                                      .release = attn_free};
