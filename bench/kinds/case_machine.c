/* The kind machine/<what>: limits of this machine, measured, for rooflines. Each has a known answer. */
#include "bench/field.h"
#include "bench/limits/machine_clock.h"
#include "bench/limits/machine_kernels.h"
#include "bench/limits/machine_limit.h"
#include "bench/limits/machine_streams.h"

#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/threads.h"

#include <stdio.h>

static const machine_limit *const limits[] = {&limit_flops, &limit_read,  &limit_sgemm,    &limit_write,
                                              &limit_copy,  &limit_triad, &limit_nt_write, &limit_latency,
                                              &limit_tlb,   &limit_clock, &limit_handoff,  &limit_products};

static const machine_limit *limit_of(const bench_case *c) {
    size_t i = 0;
    while (limits[i]->where != c->where)
        i++;
    return limits[i];
}

static int subject(bench_case *c, char *const *words, attn_error *error) {
    char known[128];
    snprintf(c->subject, sizeof c->subject, "%s", words[0]);
    c->where = bench_where_find("machine", words[0]);
    if (c->where)
        return 0;
    bench_where_modes(known, sizeof known, "machine");
    return attn_fail(error, "\"%s\": not a limit of the machine, expected one of %s", words[0], known);
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

/* With t:N each thread has a state of its own, which it makes itself so that its memory is near it. */
typedef struct machine {
    const machine_limit *limit;
    const char *what;
    const bench_case *row;
    bench_settings settings;
    size_t count; /* states */
    struct part {
        void *state;
        int result; /* of its preparation */
        double off;
        attn_error error;
    } part[];
} machine;

static void release(void *state) {
    machine *m = state;
    for (size_t i = 0; i < m->count; i++)
        if (m->part[i].state)
            m->limit->release(m->part[i].state);
    attn_free(m);
}

static void prepare_part(void *context, size_t part, size_t parts) {
    machine *m = context;
    struct part *p = &m->part[part];
    (void)parts;
    if (!p->state)
        p->result = m->limit->prepare(&p->state, m->row, &m->settings, &p->error);
}

/* Every thread does the same. */
static void share(machine *m, attn_share_function *work) {
    attn_threads *before = attn_threads_use(m->count > 1 ? m->settings.threads : NULL);
    attn_share(work, m);
    attn_threads_use(before);
}

/* The first alone: it finds what this machine lacks. */
static int prepare_parts(machine *m, attn_error *error) {
    prepare_part(m, 0, 1);
    if (!m->part[0].result && m->count > 1)
        share(m, prepare_part);
    for (size_t i = 0; i < m->count; i++)
        if (m->part[i].result) {
            attn_fail_as(error, m->part[i].error.code, "%s", m->part[i].error.message);
            return m->part[i].result;
        }
    return 0;
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    const bench_field *isa = &bench_fields[BENCH_FIELD_ISA];
    if (bench_field_applies(isa, isa->rows, c) &&
        (c->isa > (unsigned)attn_cpu_detected() || c->isa >= BUILT)) {
        attn_fail(error, "isa: this CPU lacks %s", attn_isa_names[c->isa]);
        return BENCH_UNSUPPORTED;
    }
    const machine_limit *limit = limit_of(c);
    if (limit->supported && limit->supported(c, error))
        return BENCH_UNSUPPORTED;
    size_t count = attn_threads_count(settings->threads);
    machine *m = attn_alloc(1, sizeof *m + count * sizeof m->part[0], "set-up of a case", error);
    if (!m)
        return -1;
    *m = (machine){.limit = limit, .what = c->subject, .row = c, .settings = *settings, .count = count};
    int result = prepare_parts(m, error);
    if (result)
        release(m);
    else
        *state = m;
    return result;
}

static void run_part(void *context, size_t part, size_t parts) {
    const machine *m = context;
    (void)parts;
    m->limit->run(m->part[part].state);
}

static void run(void *state) {
    share(state, run_part);
}

static void check_part(void *context, size_t part, size_t parts) {
    machine *m = context;
    (void)parts;
    m->part[part].off = m->limit->off(m->part[part].state);
}

static int check(void *state, bench_check *check_, attn_error *error) {
    machine *m = state;
    (void)error;
    share(m, check_part);
    *check_ = (bench_check){.rows = 1};
    for (size_t i = 0; i < m->count; i++)
        check_->max_error = machine_worse(check_->max_error, m->part[i].off);
    check_->ok = check_->max_error <= 0.0;
    if (!check_->ok)
        snprintf(check_->what, sizeof check_->what, "%s is off its known answer by %g", m->what,
                 check_->max_error);
    return 0;
}

static void rewind_nothing(void *state) {
    (void)state;
}

typedef struct all_values {
    bench_emit_number *emit;
    void *to;
    double count;
} all_values;

/* A number of one thread becomes that of all. */
static void emit_of_all(void *context, const char *name, double value) {
    const all_values *all = context;
    all->emit(all->to, name, value * all->count);
}

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const machine *m = state;
    *cache_bytes = 0.0;
    m->limit->values(m->part[0].state, emit_of_all, &(all_values){emit, to, (double)m->count});
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
