/* Cases of the core alone: checked against the plain reference, on one thread and on two, and refused where there is no
 * core. A kernel that spoils one number is found. */
#include "attn/alloc.h"
#include "bench/kind.h"
#include "bench/row.h"
#include "impl/kernels/attend_shared.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void __real_attn_attend_shared(const attn_attend_heads *heads, float *workspace);
void __wrap_attn_attend_shared(const attn_attend_heads *heads, float *workspace);

static bool spoils;

void __wrap_attn_attend_shared(const attn_attend_heads *heads, float *workspace) {
    __real_attn_attend_shared(heads, workspace);
    if (spoils)
        heads->call.out[(heads->count - 1) * heads->out] += 0.1f;
}

typedef struct numbers {
    double flops, bytes, formula, live;
} numbers;

static void take(void *to, const char *name, double value) {
    numbers *n = to;
    if (!strcmp(name, "flops"))
        n->flops = value;
    if (!strcmp(name, "bytes"))
        n->bytes = value;
    if (!strcmp(name, "kv_bytes_formula"))
        n->formula = value;
    if (!strcmp(name, "kv_bytes_live"))
        n->live = value;
}

/* What prepare returns; when that is 0, the outcome of the check. */
static int measure(const char *row, attn_threads *threads, bench_check *check, numbers *n,
                   attn_error *error) {
    const bench_settings settings = {.seed = 5, .check_flops = 1e6, .threads = threads};
    bench_case c;
    void *state;
    double cache_bytes;
    if (bench_case_parse(&c, row, error))
        fail_msg("%s", error->message);
    const bench_kind_ops *kind = bench_kind_of(&c);
    int result = kind->prepare(&state, &c, &settings, error);
    if (result)
        return result;
    assert_int_equal(kind->check(state, check, error), 0);
    kind->values(state, &cache_bytes, take, n);
    kind->release(state);
    return 0;
}

static const struct {
    const char *row;
    double flops, bytes; /* 4 B q L h width; cache, queries and contexts */
} cores[] = {
    {"attention/mha/decode/L:300/h:4/d:32/part:core", 4.0 * 300 * 32, 2 * 300 * 32 * 4 + 2 * 32 * 4},
    {"attention/mha/chunk/L:300/q:20/B:2/h:4/d:32/part:core", 4.0 * 2 * 20 * 300 * 32,
     2 * (2 * 300 * 32 * 4 + 2 * 20 * 32 * 4)},
    {"attention/gqa/chunk/L:70/q:9/h:4/hkv:2/d:32/part:core/kv:q8_0", 4.0 * 9 * 70 * 32,
     2 * 70 * 2 * 34 + 2 * 9 * 32 * 4},
    {"attention/mla/decode/L:300/h:4/d:32/dc:12/part:core/kv:f16", 4.0 * 300 * 4 * 12,
     300 * 12 * 2 + 2 * 4 * 12 * 4},
    {"attention/mla_simple/prefill/L:70/h:4/d:32/dc:12/part:core/path:absorb/impl:base",
     4.0 * 70 * 70 * 4 * 12, 70 * 12 * 4 + 2 * 70 * 4 * 12 * 4},
};
enum { CORES = sizeof cores / sizeof *cores };

static void cores_agree(void **state) {
    (void)state;
    attn_threads *threads;
    assert_int_equal(attn_threads_open(&threads, 2, NULL, NULL), 0);
    for (size_t i = 0; i < 2 * CORES; i++) {
        attn_error error = {0};
        bench_check check;
        numbers n = {0};
        assert_int_equal(measure(cores[i / 2].row, i % 2 ? threads : NULL, &check, &n, &error), 0);
        if (!check.ok)
            fail_msg("%s: %s", cores[i / 2].row, check.what);
        assert_true(check.rows > 0 && check.max_error <= check.limit);
        assert_true(n.flops == cores[i / 2].flops && n.bytes == cores[i / 2].bytes);
        assert_true(n.formula == n.live);
    }
    attn_threads_close(threads);
    assert_int_equal(attn_alloc_live(), 0);
}

/* Also of those to come: the cache says how many heads it has. */
static void each_type_with_a_softmax_has_a_core(void **state) {
    (void)state;
    for (size_t i = 0; attn_variants[i]; i++) {
        attn_error error = {0};
        bench_check check;
        numbers n = {0};
        char row[96];
        if (!attn_variants[i]->is_softmax)
            continue;
        snprintf(row, sizeof row, "attention/%s/chunk/L:70/q:9/h:4/d:32/part:core", attn_variants[i]->name);
        assert_int_equal(measure(row, NULL, &check, &n, &error), 0);
        if (!check.ok)
            fail_msg("%s: %s", row, check.what);
        assert_true(n.formula > 0 && n.formula == n.live);
    }
    assert_int_equal(attn_alloc_live(), 0);
}

static void a_wrong_number_is_found(void **state) {
    (void)state;
    for (size_t i = 0; i < CORES; i++) {
        attn_error error = {0};
        bench_check check;
        numbers n;
        if (strstr(cores[i].row, "decode") == NULL)
            continue; /* of several queries a sample is compared */
        spoils = true;
        assert_int_equal(measure(cores[i].row, NULL, &check, &n, &error), 0);
        spoils = false;
        assert_false(check.ok);
        assert_non_null(strstr(check.what, "contexts differ from the plain reference by 0.1"));
    }
}

static void without_a_core(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"attention/linear/decode/L:9/part:core", "has no core apart from its layer"},
        {"attention/mla/decode/L:9/part:core/path:expand", "expanding latents is one"},
        {"attention/mha/decode/L:9/part:core/pos:rel_pos", "the core is without positions"},
        {"attention/mha/decode/L:9/part:core/impl:blas", "has no core apart from its layer"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        attn_error error = {0};
        bench_check check;
        numbers n;
        assert_int_equal(measure(rows[i][0], NULL, &check, &n, &error), BENCH_UNSUPPORTED);
        assert_non_null(strstr(error.message, rows[i][1]));
    }
}

static void refused_memory_is_an_error(void **state) {
    (void)state;
    for (size_t nth = 1;; nth++) {
        const bench_settings settings = {.seed = 5, .check_flops = 1e6};
        attn_error error = {0};
        bench_case c;
        void *core;
        assert_int_equal(bench_case_parse(&c, cores[0].row, &error), 0);
        attn_alloc_fail_at(nth);
        int result = bench_kind_of(&c)->prepare(&core, &c, &settings, &error);
        attn_alloc_fail_at(0);
        if (!result) {
            bench_kind_of(&c)->release(core);
            assert_true(nth > 5);
            break;
        }
        assert_non_null(strstr(error.message, "out of memory"));
        assert_int_equal(attn_alloc_live(), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_agree),
        cmocka_unit_test(each_type_with_a_softmax_has_a_core),
        cmocka_unit_test(a_wrong_number_is_found),
        cmocka_unit_test(without_a_core),
        cmocka_unit_test(refused_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
