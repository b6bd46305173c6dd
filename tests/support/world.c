#include "tests/support/world.h"

#include "tests/support/cmocka_all.h"

#include <math.h>

/* Fields that the literal below does not set are as the reader leaves them. */
static void set_rest(results_case *c) {
#define NUMBER(id, member, ...)                                                                              \
    if (bench_fields[BENCH_FIELD_##id].unsaid && !c->member)                                                 \
        c->member = bench_fields[BENCH_FIELD_##id].fallback;
#define CHOICE(id, member, ...)                                                                              \
    if (!c->member)                                                                                          \
        c->member = bench_fields[BENCH_FIELD_##id].unsaid                                                    \
                        ? bench_fields[BENCH_FIELD_##id].words[bench_fields[BENCH_FIELD_##id].fallback]      \
                        : "";
#include "bench/fields.inc"
}

results_case *add_case(world *w, const char *type, const char *mode, size_t L, size_t q, double time) {
    size_t i = w->r.count++;
    assert_true(i < CASES);
    w->samples[i] = (results_sample){.real_time = time, .cpu_time = time, .iterations = 1};
    w->cases[i] = (results_case){.name = "case",
                                 .kind = "attention",
                                 .type = type,
                                 .mode = mode,
                                 .kv = "f32",
                                 .pos = "none",
                                 .path_run = "",
                                 .impl = "blas",
                                 .model = "",
                                 .what = "",
                                 .L = L,
                                 .q = q,
                                 .B = 1,
                                 .h = 8,
                                 .d = 512,
                                 .flops = 100,
                                 .bytes = 50,
                                 .kv_bytes_formula = 4.0 * (double)L,
                                 .kv_bytes_live = 4.0 * (double)L,
                                 .max_error = NAN,
                                 .limit = NAN,
                                 .count = 1,
                                 .samples = &w->samples[i]};
    set_rest(&w->cases[i]);
    w->r.cases = w->cases;
    return &w->cases[i];
}

void add_machine(world *w, const char *what, size_t working_set, double flops, double bytes, double time) {
    results_case *c = add_case(w, "", "", 0, 0, time);
    c->kind = "machine";
    c->what = what;
    c->working_set = working_set;
    c->flops = flops;
    c->bytes = bytes;
}
