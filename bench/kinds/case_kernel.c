/* The kind kernel/<name>: one kernel alone, a row of impl/kernels/kernels.inc, on the shape that its row calls
 * typical. */
#include "bench/kernel_setup.h"
#include "bench/kind.h"

#include "attn/alloc.h"
#include "attn/cpu.h"

#include <stdio.h>
#include <string.h>

static const kernel_row *find_row(const char *name) {
    for (const kernel_row *row = kernel_rows; row->name; row++)
        if (!strcmp(row->name, name))
            return row;
    return NULL;
}

static int subject(bench_case *c, char *const *words, attn_error *error) {
    snprintf(c->subject, sizeof c->subject, "%s", words[0]);
    c->where = BENCH_ONE_KERNEL;
    return find_row(words[0])
               ? 0
               : attn_fail(error, "\"%s\": not a kernel of impl/kernels/kernels.inc", words[0]);
}

static void defaults(bench_case *c) {
    c->isa = attn_cpu_isa();
}

static int complete(bench_case *c, attn_error *error) {
    (void)c, (void)error;
    return 0;
}

typedef struct kernel_state {
    bench_case row;
    kernel_setup setup;
} kernel_state;

static void release(void *state) {
    kernel_state *s = state;
    kernel_setup_free(&s->setup);
    attn_free(s);
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    if (c->isa > (unsigned)attn_cpu_detected()) {
        attn_fail(error, "isa: this CPU lacks %s", attn_isa_names[c->isa]);
        return BENCH_UNSUPPORTED;
    }
    kernel_state *s = attn_alloc(1, sizeof *s, "set-up of a case", error);
    if (!s)
        return -1;
    const kernel_row *row = find_row(c->subject);
    kernel_draw draw = {.type = (attn_element)c->kv, .seed = settings->seed}; /* in the same order */
    memcpy(draw.size, row->typical, sizeof draw.size);
    s->row = *c;
    int result = kernel_setup_init(&s->setup, row, &draw, error);
    if (!result && c->kv && !s->setup.has_cache)
        result = attn_fail(error, "kv: %s reads no cache", c->subject);
    if (result) {
        release(s);
        return -1;
    }
    *state = s;
    return 0;
}

static void rewind_operands(void *state) {
    kernel_setup_restore(&((kernel_state *)state)->setup, false);
}

static void run(void *state) {
    kernel_state *s = state;
    attn_isa before = attn_cpu_limit((attn_isa)s->row.isa);
    s->setup.row->run(&s->setup);
    attn_cpu_limit(before);
}

static int check(void *state, bench_check *check_, attn_error *error) {
    kernel_state *s = state;
    (void)error;
    kernel_setup_run(&s->setup, true);
    rewind_operands(s);
    run(s);
    *check_ = (bench_check){.rows = 1, .limit = s->setup.row->tolerance};
    check_->ok = kernel_setup_agrees(&s->setup, &check_->max_error, check_->what, sizeof check_->what);
    return 0;
}

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const kernel_state *s = state;
    *cache_bytes = 0.0;
    emit(to, "flops", s->setup.row->flops(&s->setup));
    emit(to, "bytes", s->setup.row->bytes(&s->setup));
}

const bench_kind_ops bench_kernel = {.kind = BENCH_KERNEL,
                                     .name = "kernel",
                                     .words = 1,
                                     .form = "kernel/<name>/<key:value>/...",
                                     .subject = subject,
                                     .defaults = defaults,
                                     .complete = complete,
                                     .prepare = prepare,
                                     .check = check,
                                     .rewind = rewind_operands,
                                     .run = run,
                                     .values = values,
                                     .release = release};
