/* The check before timing: it lets right implementations through, at every type, mode and position encoding,
 * whole and sampled, and stops wrong ones; what it stops publishes no number. */
#include "bench/gbench.h"
#include "bench/kinds/attention_check.h"
#include "bench/limits/machine_kernels.h"
#include "bench/row.h"
#include "bench/run.h"

#include "attn/alloc.h"
#include "attn/cpu.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WHOLE = 1000000000, SAMPLED = 1 }; /* FLOPs that the reference may take */

static bench_case parse(const char *row) {
    bench_case c;
    attn_error error = {0};
    if (bench_case_parse(&c, row, &error))
        fail_msg("%s", error.message);
    return c;
}

static bench_check check_case(const bench_case *c, double flops) {
    attention_setup setup;
    bench_check check = {0};
    attn_error error = {0};
    if (attention_setup_init(&setup, c, &(bench_settings){.seed = 5, .check_flops = flops}, &error) ||
        attention_check(&setup, &check, &error))
        fail_msg("%s: %s", c->name, error.message);
    attention_setup_free(&setup);
    assert_int_equal(attn_alloc_live(), 0);
    return check;
}

static void for_each_row(void (*test)(const bench_case *c)) {
    static const char *const modes[] = {"prefill/L:130", "chunk/L:130/q:65", "chunk/L:64/q:3", "decode/L:20",
                                        "decode/L:1"};
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++)
            for (int pos = ATTN_POS_NONE; pos <= ATTN_POS_REL_WENET; pos++) {
                char row[128];
                if (pos >= ATTN_POS_REL && !attn_variants[v]->is_softmax)
                    continue;
                snprintf(row, sizeof row, "attention/%s/%s/B:2/h:2/d:16/pos:%s", attn_variants[v]->name,
                         modes[m], attn_pos_enc_names[pos]);
                bench_case c = parse(row);
                test(&c);
            }
    static const char *const types[] = {"mha", "gqa", "mla_simple", "mla"};
    static const char *const few[] = {"prefill/L:13", "chunk/L:64/q:3",
                                      "decode/L:20"}; /* no more rows than samples */
    for (size_t v = 0; v < sizeof types / sizeof *types; v++)
        for (size_t m = 0; m < sizeof few / sizeof *few; m++)
            for (unsigned kv = ATTN_ELEMENT_F16; kv < ATTN_ELEMENTS; kv++) {
                char row[128];
                snprintf(row, sizeof row, "attention/%s/%s/B:2/h:2/d:80/dc:36/pos:rel_pos/kv:%s", types[v],
                         few[m], attn_kv_dtype_names[kv]);
                if (v < 2)
                    snprintf(row, sizeof row, "attention/%s/%s/B:2/h:2/d:80/kv:%s", types[v], few[m],
                             attn_kv_dtype_names[kv]);
                bench_case c = parse(row);
                test(&c);
            }
}

static void expect_right(const bench_case *c) {
    for (int i = 0; i < ATTN_IMPLS && c->variant->impls[i].name; i++) {
        if (attn_impl_reads(&c->variant->impls[i], (attn_element)c->kv, NULL))
            continue;
        for (attn_path path = ATTN_PATH_AUTO;
             path <= (c->variant->has_latent ? ATTN_PATH_ABSORB : ATTN_PATH_AUTO); path++) {
            bench_case one = *c;
            one.impl = &c->variant->impls[i];
            one.path = path;
            bench_check whole = check_case(&one, WHOLE), sampled = check_case(&one, SAMPLED);
            if (!whole.ok || !sampled.ok)
                fail_msg("%s with %s: %s", c->name, one.impl->name, whole.ok ? sampled.what : whole.what);
            assert_true(whole.limit > 0 && whole.limit < 1e-2);
            assert_int_equal(whole.rows, c->queries * c->batch);
            assert_int_equal(sampled.rows, c->batch); /* one sample of each utterance */
        }
    }
}

static void test_right_implementations(void **state) {
    (void)state;
    for_each_row(expect_right);
}

/* Wrong implementations: the best one of the variant, then something is spoilt. */
static enum { OUTPUT_NAN, OUTPUT_SCALED, OUTPUT_LAST_ROW, OUTPUT_ZERO, CACHE_NEW, CACHE_OLD } fault;

static const attn_impl *best(const attn_cache *cache) {
    return attn_impl_find(cache->variant, "auto");
}

static void spoil_row(attn_cache *cache, size_t b, size_t row) {
    float values[64];
    assert_true(cache->slot[0].width <= 64);
    attn_cache_load(values, cache, 0, b, 0, row, 1);
    values[0] += 1.0f;
    attn_cache_store(cache, 0, b, 0, row, values, cache->slot[0].width, 1);
}

static void wrong(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                  void *workspace) {
    size_t size = call->batch * call->frames * layer->geometry.d_model;
    best(cache)->forward(out, layer, cache, call, workspace);
    size_t row = cache->slot[0].rows ? 0 : (fault == CACHE_OLD ? 0 : cache->length - 1);
    switch (fault) {
    case OUTPUT_NAN:
        out[size / 2] = NAN;
        for (size_t i = 0; i < size; i += 7)
            out[i] = NAN;
        break;
    case OUTPUT_SCALED:
        for (size_t i = 0; i < size; i++)
            out[i] *= 1.001f;
        break;
    case OUTPUT_LAST_ROW:
        out[size - 1] += 0.1f;
        break;
    case OUTPUT_ZERO:
        memset(out, 0, size * sizeof(float));
        break;
    case CACHE_NEW:
    case CACHE_OLD:
        spoil_row(cache, call->batch - 1, row);
        break;
    }
}

static bench_case spoilt(const bench_case *c, attn_impl *fake) {
    bench_case one = *c;
    const attn_impl *real = attn_impl_find(c->variant, "auto");
    *fake = *real;
    fake->name = "wrong";
    fake->forward = wrong;
    one.impl = fake;
    return one;
}

static void expect_wrong(const bench_case *c) {
    attn_impl fake;
    bench_case one = spoilt(c, &fake);
    if (fault == CACHE_OLD && c->keys == c->queries)
        return;
    if (check_case(&one, WHOLE).ok)
        fail_msg("%s: fault %d passed the check of all rows", c->name, (int)fault);
    if (fault != OUTPUT_LAST_ROW && check_case(&one, SAMPLED).ok)
        fail_msg("%s: fault %d passed the sampled check", c->name, (int)fault);
}

static void test_wrong_implementations(void **state) {
    (void)state;
    for (fault = OUTPUT_NAN; fault <= CACHE_OLD; fault++)
        for_each_row(expect_wrong);
}

/* A reference that looked at the implementation's own keys would not see that it reads the wrong ones. */
static void shifted(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                    void *workspace) {
    attn_call other = *call;
    other.position_shift -= 1;
    best(cache)->forward(out, layer, cache, &other, workspace);
}

static void test_wrong_positions(void **state) {
    (void)state;
    bench_case c = parse("attention/mha/chunk/L:150/q:70/B:2/h:4/d:32/pos:rel_pos");
    attn_impl fake = *c.impl;
    fake.name = "shifted";
    fake.forward = shifted;
    c.impl = &fake;
    assert_false(check_case(&c, WHOLE).ok);
    assert_false(check_case(&c, SAMPLED).ok);
}

static attn_isa isa_seen;

static void look_at_isa(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                        void *workspace) {
    isa_seen = attn_cpu_isa();
    best(cache)->forward(out, layer, cache, call, workspace);
}

/* impl:base and so on hold our kernels to that instruction set while the call runs, and no longer. */
static void test_instruction_sets(void **state) {
    (void)state;
    for (attn_isa isa = ATTN_ISA_BASE; isa <= attn_cpu_detected(); isa++) {
        char row[80];
        snprintf(row, sizeof row, "attention/linear/decode/L:20/h:2/d:16/impl:%s", attn_isa_names[isa]);
        bench_case c = parse(row);
        attn_impl fake = {.name = "looks", .workspace = c.impl->workspace, .forward = look_at_isa};
        c.impl = &fake;
        assert_true(check_case(&c, WHOLE).ok);
        assert_int_equal(isa_seen, isa);
        assert_int_equal(attn_cpu_isa(), attn_cpu_detected());
    }
}

static void test_every_call_starts_the_same(void **state) {
    (void)state;
    attn_error error = {0};
    for (size_t v = 0; attn_variants[v]; v++) {
        char row[128];
        snprintf(row, sizeof row, "attention/%s/chunk/L:20/q:4/h:4/d:32", attn_variants[v]->name);
        bench_case c = parse(row);
        attention_setup setup;
        float first[4 * 32];
        assert_int_equal(
            attention_setup_init(&setup, &c, &(bench_settings){.seed = 1, .check_flops = WHOLE}, &error), 0);
        attention_setup_run(&setup);
        memcpy(first, setup.out, sizeof first);
        for (int i = 0; i < 3; i++)
            attention_setup_run(&setup);
        assert_int_equal(setup.cache.length, 20);
        attention_setup_rewind(&setup);
        assert_int_equal(setup.cache.length, 16);
        attention_setup_run(&setup);
        assert_memory_equal(first, setup.out, sizeof first);
        attention_setup_free(&setup);
    }
}

static void test_refused_memory(void **state) {
    (void)state;
    static const char *const rows[] = {"attention/mla/chunk/L:150/q:70/B:2/h:4/d:32/pos:rel_pos",
                                       "attention/linear/chunk/L:150/q:70/B:2/h:4/d:32"};
    for (size_t i = 0; i < 2; i++)
        for (double flops = SAMPLED; flops <= WHOLE; flops += WHOLE - SAMPLED) {
            bench_case c = parse(rows[i]);
            int result = -1;
            for (size_t nth = 1; result; nth++) {
                attention_setup setup = {0};
                bench_check check;
                attn_error error = {0};
                attn_alloc_fail_at(nth);
                result = attention_setup_init(&setup, &c, &(bench_settings){.seed = 5, .check_flops = flops},
                                              &error) ||
                         attention_check(&setup, &check, &error);
                attn_alloc_fail_at(0);
                attention_setup_free(&setup);
                assert_int_equal(attn_alloc_live(), 0);
                assert_true(!result || strstr(error.message, "out of memory"));
                assert_true(nth < 100);
            }
        }
}

static void test_too_large_for_this_machine(void **state) {
    (void)state;
    bench_case c = parse("attention/mha/decode/L:16000000/B:4096/d:8192");
    attention_setup setup;
    attn_error error = {0};
    assert_int_equal(
        attention_setup_init(&setup, &c, &(bench_settings){.seed = 1, .check_flops = WHOLE}, &error), -1);
    assert_non_null(strstr(error.message, "MiB of memory needed, "));
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_machine_kernels(void **state) {
    (void)state;
    float *x = attn_alloc(1000, sizeof(float), "x", NULL);
    for (size_t i = 0; i < 1000; i++)
        x[i] = (float)i;
    for (unsigned isa = 0; isa <= (unsigned)attn_cpu_detected(); isa++) {
        const machine_kernels *k = machine_kernels_for(isa);
        assert_non_null(k);
        /* Chains 0..11, two rounds of 2 x + 1: 4 c + 3. */
        assert_true(k->multiply_add(2, 2.0f, 1.0f) == (4 * 66.0 + 36) * (double)k->lanes);
        for (size_t n = 0; n < 1000; n += 37)
            assert_true(k->sum(x, n, 3) == (n ? 1.5 * (double)n * (double)(n - 1) : 0.0));
    }
    attn_free(x);
}

/* Runs rows in a process of its own; `first` (may be NULL) replaces the first row's implementation. Returns
 * the exit status and what was written. */
static int run_rows(const char *const *rows, size_t count, const attn_impl *first, json_t **results) {
    char path[] = "/tmp/attnbench-test-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        attn_error error = {0};
        bench_session session = {.settings = {1, BENCH_CHECK_FLOPS}};
        char out[64];
        snprintf(out, sizeof out, "--benchmark_out=%s", path);
        char *argv[] = {"test",
                        out,
                        "--benchmark_repetitions=2",
                        "--benchmark_min_time=0.0001",
                        "--benchmark_out_format=json",
                        NULL};
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(99);
        for (size_t i = 0; i < count; i++)
            if (bench_session_add(&session, rows[i], &error))
                _exit(98);
        if (first)
            session.entries[0].row.impl = first;
        int status = bench_session_run(&session, 5, argv, &error) ? 97 : bench_session_status(&session);
        bench_session_free(&session);
        _exit(status);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    json_error_t why;
    *results = json_load_file(path, 0, &why);
    if (!*results)
        fail_msg("%s:%d: %s", path, why.line, why.text);
    close(file);
    unlink(path);
    return WEXITSTATUS(status);
}

static void test_failed_check_publishes_no_number(void **state) {
    (void)state;
    static const char *const rows[] = {"attention/mha/decode/L:20/h:4/d:32",
                                       "attention/gqa/decode/L:20/h:4/d:32"};
    bench_case c = parse(rows[0]);
    attn_impl fake;
    json_t *results, *entry;
    size_t i, failed = 0, timed = 0;
    fault = OUTPUT_SCALED;
    spoilt(&c, &fake);
    assert_int_equal(run_rows(rows, 2, &fake, &results), 1);
    json_array_foreach(json_object_get(results, "benchmarks"), i, entry) {
        if (!strncmp(json_string_value(json_object_get(entry, "name")), "attention/mha/", 14)) {
            assert_true(json_is_true(json_object_get(entry, "error_occurred")));
            assert_non_null(
                strstr(json_string_value(json_object_get(entry, "error_message")), "check failed"));
            assert_null(json_object_get(entry, "flops"));
            assert_null(json_object_get(entry, "check_max_error"));
            assert_true(json_number_value(json_object_get(entry, "real_time")) == 0.0);
            failed++;
        } else {
            assert_null(json_object_get(entry, "error_occurred"));
            timed += json_number_value(json_object_get(entry, "real_time")) > 0.0;
        }
    }
    assert_int_equal(failed, 2);
    assert_true(timed >= 2);
    json_decref(results);
}

static void test_counters(void **state) {
    (void)state;
    static const char *const rows[] = {"attention/mla/decode/L:20/h:4/d:32/path:absorb",
                                       "machine/sgemm/n:16"};
    static const char *const of_all[] = {
        "flops",        "bytes",        "check_max_error",      "check_limit",       "check_rows",
        "major_faults", "minor_faults", "involuntary_switches", "voluntary_switches"};
    bench_case c = parse(rows[0]);
    json_t *results, *entry;
    size_t i, seen = 0;
    assert_int_equal(run_rows(rows, 2, NULL, &results), 0);
    json_array_foreach(json_object_get(results, "benchmarks"), i, entry) {
        if (strcmp(json_string_value(json_object_get(entry, "run_type")), "iteration"))
            continue;
        for (size_t k = 0; k < sizeof of_all / sizeof of_all[0]; k++)
            if (!json_is_number(json_object_get(entry, of_all[k])))
                fail_msg("%s is missing", of_all[k]);
        seen++;
        if (strcmp(json_string_value(json_object_get(entry, "name")), c.name))
            continue;
        double formula = json_number_value(json_object_get(entry, "kv_bytes_formula"));
        assert_true(formula == 20 * 32 * 4);
        assert_true(json_number_value(json_object_get(entry, "kv_bytes_live")) == formula);
        assert_true(json_number_value(json_object_get(entry, "path_run")) == 1.0);
        assert_string_equal(json_string_value(json_object_get(entry, "time_unit")), "ns");
    }
    assert_int_equal(seen, 4);
    json_decref(results);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_right_implementations),
                                       cmocka_unit_test(test_wrong_implementations),
                                       cmocka_unit_test(test_wrong_positions),
                                       cmocka_unit_test(test_instruction_sets),
                                       cmocka_unit_test(test_every_call_starts_the_same),
                                       cmocka_unit_test(test_refused_memory),
                                       cmocka_unit_test(test_too_large_for_this_machine),
                                       cmocka_unit_test(test_machine_kernels),
                                       cmocka_unit_test(test_failed_check_publishes_no_number),
                                       cmocka_unit_test(test_counters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
