/* The kind machine/<what>: limits of this machine, measured, for rooflines. Each has a known answer. */
#include "bench/field.h"
#include "bench/limits/machine_clock.h"
#include "bench/limits/machine_kernels.h"
#include "bench/limits/machine_limit.h"
#include "bench/limits/machine_streams.h"

#include "attn/alloc.h"
#include "attn/cpu.h"

#include <stdio.h>

static const machine_limit *const limits[] = {&limit_flops, &limit_read,  &limit_sgemm,    &limit_write,
                                              &limit_copy,  &limit_triad, &limit_nt_write, &limit_latency,
                                              &limit_tlb,   &limit_clock, &limit_handoff};

static const machine_limit *limit_of(const bench_case *c) {
    size_t i = 0;
    while (limits[i]->where != c->where)
        i++;
    return limits[i];
}

static int subject(bench_case *c, char *const *words, attn_error *error) {
    snprintf(c->subject, sizeof c->subject, "%s", words[0]);
    c->where = bench_where_find("machine", words[0]);
    if (c->where)
        return 0;
    return attn_fail(error,
                     "\"%s\": not a limit of the machine, expected one of flops, read, sgemm, write, copy, "
                     "triad, nt_write, latency, tlb, clock, handoff",
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
static const machine_kernels *const kernels[] = {&machine_base, &machine_avx2, &machine_avx512};
extern const machine_streams machine_streams_base, machine_streams_avx2, machine_streams_avx512;
static const machine_streams *const streams[] = {&machine_streams_base, &machine_streams_avx2,
                                                 &machine_streams_avx512};
machine_clock machine_clock_base, machine_clock_avx2, machine_clock_avx512;
static machine_clock *const clocks[] = {machine_clock_base, machine_clock_avx2, machine_clock_avx512};
#else
extern const machine_kernels machine_base;
static const machine_kernels *const kernels[] = {&machine_base};
extern const machine_streams machine_streams_base;
static const machine_streams *const streams[] = {&machine_streams_base};
machine_clock machine_clock_base;
static machine_clock *const clocks[] = {machine_clock_base};
#endif
enum { BUILT = sizeof kernels / sizeof kernels[0] };

const machine_kernels *machine_kernels_for(unsigned isa) {
    return isa < BUILT ? kernels[isa] : NULL;
}

const machine_streams *machine_streams_for(unsigned isa) {
    return isa < BUILT ? streams[isa] : NULL;
}

machine_clock *machine_clock_for(unsigned isa) {
    return isa < BUILT ? clocks[isa] : NULL;
}

typedef struct machine {
    const machine_limit *limit;
    const char *what;
    void *state;
} machine;

static void release(void *state) {
    machine *m = state;
    if (m->state)
        m->limit->release(m->state);
    attn_free(m);
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    const bench_field *isa = &bench_fields[BENCH_FIELD_ISA];
    if (bench_field_applies(isa, isa->rows, c) &&
        (c->isa > (unsigned)attn_cpu_detected() || c->isa >= BUILT)) {
        attn_fail(error, "isa: this CPU does not have %s", attn_isa_names[c->isa]);
        return BENCH_UNSUPPORTED;
    }
    machine *m = attn_alloc(1, sizeof *m, "set-up of a case", error);
    if (!m)
        return -1;
    *m = (machine){limit_of(c), c->subject, NULL};
    int result = m->limit->prepare(&m->state, c, settings, error);
    if (result)
        release(m);
    else
        *state = m;
    return result;
}

static void run(void *state) {
    const machine *m = state;
    m->limit->run(m->state);
}

static int check(void *state, bench_check *check_, attn_error *error) {
    const machine *m = state;
    (void)error;
    *check_ = (bench_check){.rows = 1, .max_error = m->limit->off(m->state)};
    check_->ok = check_->max_error <= 0.0;
    if (!check_->ok)
        snprintf(check_->what, sizeof check_->what, "%s is off its known answer by %g", m->what,
                 check_->max_error);
    return 0;
}

static void rewind_nothing(void *state) {
    (void)state;
}

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const machine *m = state;
    *cache_bytes = 0.0;
    m->limit->values(m->state, emit, to);
}

const bench_kind_ops bench_machine = {.kind = BENCH_MACHINE,
                                      .name = "machine",
                                      .words = 1,
                                      .form = "machine/<flops|read|...>/<key:value>/...",
                                      .subject = subject,
                                      .defaults = defaults,
                                      .complete = complete,
                                      .prepare = prepare,
                                      .check = check,
                                      .rewind = rewind_nothing,
                                      .run = run,
                                      .values = values,
                                      .release = release};
