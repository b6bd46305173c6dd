/* Encoder cases: the check lets right implementations through and stops wrong ones, the timed call is the one
 * that the row means, and its numbers are those of that call. */
#include "bench/kinds/encoder_setup.h"
#include "bench/row.h"
#include "bench/run.h"
#include "impl/model/session.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bench_case parse(const char *row) {
    bench_case c;
    attn_error error = {0};
    if (bench_case_parse(&c, row, &error))
        fail_msg("%s", error.message);
    return c;
}

/* ---- What an implementation gives, spoilt on its way to whoever asked (see tests.mk). */

static enum { RIGHT, NOT_A_NUMBER, SCALED, LAST_FRAME } fault;
static size_t fault_layers; /* of models that are spoilt; 0: all */

void __real_attn_session_run(attn_session *session, float *out, const float *x, size_t frames,
                             const size_t *lengths, attn_chunk_hook *hook, void *context);
void __wrap_attn_session_run(attn_session *session, float *out, const float *x, size_t frames,
                             const size_t *lengths, attn_chunk_hook *hook, void *context);
void __wrap_attn_session_run(attn_session *session, float *out, const float *x, size_t frames,
                             const size_t *lengths, attn_chunk_hook *hook, void *context) {
    const attn_config *config = &session->model->config;
    size_t count = attn_output_frames(config, frames) * attn_session_width(session);
    __real_attn_session_run(session, out, x, frames, lengths, hook, context);
    if (fault == RIGHT || !strcmp(session->impl->name, "scalar") ||
        (fault_layers && config->num_layers != fault_layers))
        return;
    for (size_t i = 0; fault == SCALED && i < count; i++)
        out[i] *= 1.001f;
    if (fault == NOT_A_NUMBER)
        out[count / 2] = NAN;
    if (fault == LAST_FRAME)
        out[count - 1] += 0.1f;
}

static bench_check check_row(const char *row) {
    bench_case c = parse(row);
    encoder_setup setup;
    bench_check check = {0};
    attn_error error = {0};
    if (encoder_setup_init(&setup, &c, &(bench_settings){.seed = 3}, &error) ||
        encoder_check(&setup, &check, &error))
        fail_msg("%s: %s", row, error.message);
    encoder_setup_free(&setup);
    assert_int_equal(attn_alloc_live(), 0);
    return check;
}

#define SMALL "/layers:2/h:2/d:16/k:5"

static void test_right_implementations(void **state) {
    (void)state;
    static const char *const models[] = {"conformer", "branchformer"};
    static const char *const modes[] = {"prefill/T:75", "prefill/T:7", "chunk/q:5/left:3", "chunk/left:0",
                                        "decode/left:4"};
    for (size_t m = 0; m < 2; m++)
        for (size_t v = 0; attn_variants[v]; v++)
            for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
                char row[160];
                snprintf(row, sizeof row, "encoder/%s/%s/%s" SMALL, models[m], attn_variants[v]->name,
                         modes[i]);
                bench_check check = check_row(row);
                if (!check.ok)
                    fail_msg("%s: %s", row, check.what);
                assert_true(check.limit > 0 && check.max_error < check.limit);
                assert_int_equal(check.rows % 2, 0); /* these are small: both models at the row's length */
            }
}

static void test_wrong_implementations(void **state) {
    (void)state;
    static const char *const rows[] = {"encoder/conformer/mha/prefill/T:75" SMALL,
                                       "encoder/branchformer/linear/chunk/q:4/left:2" SMALL};
    for (fault_layers = 0; fault_layers <= 2; fault_layers++)
        for (size_t i = 0; i < 2; i++)
            for (int f = NOT_A_NUMBER; f <= LAST_FRAME; f++) {
                fault = f;
                bench_check check = check_row(rows[i]);
                fault = RIGHT;
                if (check.ok)
                    fail_msg("fault %d in models of %zu layers: %s passes", f, fault_layers, rows[i]);
                assert_non_null(strstr(check.what, "differs from the scalar reference"));
                assert_int_equal(strstr(check.what, "narrow") != NULL, fault_layers == 1);
            }
}

/* ---- The timed call */

typedef struct number {
    char name[48];
    double value;
} number;

typedef struct numbers {
    number at[32];
    size_t count;
} numbers;

static void keep_number(void *to, const char *name, double value) {
    numbers *n = to;
    snprintf(n->at[n->count].name, sizeof n->at[0].name, "%s", name);
    n->at[n->count++].value = value;
}

static double value_of(const numbers *n, const char *name) {
    for (size_t i = 0; i < n->count; i++)
        if (!strcmp(n->at[i].name, name))
            return n->at[i].value;
    fail_msg("no number %s", name);
    return NAN;
}

static numbers measure(const char *row, size_t calls, encoder_setup *setup) {
    numbers n = {.count = 0};
    attn_error error = {0};
    bench_case c = parse(row);
    double cache_bytes;
    if (encoder_setup_init(setup, &c, &(bench_settings){.seed = 3}, &error))
        fail_msg("%s: %s", row, error.message);
    encoder_setup_run(setup);
    encoder_setup_rewind(setup);
    for (size_t i = 0; i < calls; i++)
        encoder_setup_run(setup);
    bench_encoder.values(setup, &cache_bytes, keep_number, &n);
    assert_true(cache_bytes == value_of(&n, "kv_bytes_formula"));
    assert_true(value_of(&n, "kv_bytes_live") == cache_bytes);
    assert_true(value_of(&n, "conv_bytes_live") == value_of(&n, "conv_bytes_formula"));
    assert_int_equal(setup->calls, calls);
    return n;
}

static void test_prefill(void **state) {
    (void)state;
    encoder_setup s;
    numbers n = measure("encoder/conformer/mha/prefill/T:75" SMALL, 3, &s);
    assert_true(value_of(&n, "kv_bytes_live") == 2 * 2 * 18 * 16 * 4); /* layers, k and v, frames, width */
    assert_true(value_of(&n, "conv_bytes_live") == 0);
    assert_true(value_of(&n, "audio_seconds") == 0.75);
    assert_true(value_of(&n, "flops") == attn_session_flops(s.session, 75, NULL));
    double sum = 0;
    for (size_t i = 0; i < ATTN_PARTS; i++) {
        char name[48];
        snprintf(name, sizeof name, "part_%s", attn_part_names[i]);
        assert_true(value_of(&n, name) > 0);
        sum += value_of(&n, name);
    }
    assert_true(sum < 1); /* seconds of one call, not of all */
    encoder_setup_free(&s);
}

/* The call that slides the cache: one more than it takes to fill it. */
static void test_chunk(void **state) {
    (void)state;
    encoder_setup s;
    numbers n = measure("encoder/conformer/gqa/chunk/q:4/left:3/hkv:1" SMALL, 5, &s);
    assert_int_equal(s.input_frames, 4 * 4 * 5 + 3);
    assert_true(value_of(&n, "kv_bytes_live") == 2 * 2 * 16 * 8 * 4); /* layers, k and v, frames, d_k */
    assert_true(value_of(&n, "conv_bytes_live") == (2 * 2 * 4 * 16 + 3 * 80) * 4);
    assert_true(value_of(&n, "audio_seconds") == 0.16);
    const attn_cache *cache = attn_session_cache(s.session, 1);
    assert_int_equal(cache->length, 16);
    assert_int_equal(cache->first, 4);
    double five = attn_session_flops(s.session, 83, NULL), four = attn_session_flops(s.session, 67, NULL);
    assert_true(value_of(&n, "flops") == five - four && five > four && four > 0);
    encoder_setup_free(&s);
    n = measure("encoder/conformer/linear/decode/left:3/input:linear" SMALL, 2, &s);
    assert_int_equal(s.input_frames, 4);
    assert_true(value_of(&n, "kv_bytes_live") == 2 * 2 * (64 + 8) * 4); /* layers, heads, state and norm */
    assert_true(value_of(&n, "audio_seconds") == 0.01);
    encoder_setup_free(&s);
}

/* More left context is more work. */
static void test_costs_follow_the_row(void **state) {
    (void)state;
    static const char *const rows[] = {"encoder/branchformer/mha/chunk/left:0" SMALL,
                                       "encoder/branchformer/mha/chunk/left:1" SMALL,
                                       "encoder/branchformer/mha/chunk/left:4" SMALL};
    double before = 0;
    for (size_t i = 0; i < 3; i++) {
        encoder_setup s;
        numbers n = measure(rows[i], 1, &s);
        assert_true(value_of(&n, "flops") > before);
        before = value_of(&n, "flops");
        encoder_setup_free(&s);
    }
}

static void test_refused_memory(void **state) {
    (void)state;
    bench_case c = parse("encoder/branchformer/mla/chunk/q:2/left:1/dc:4" SMALL);
    for (size_t nth = 1;; nth++) {
        encoder_setup setup = {0};
        bench_check check;
        attn_error error = {0};
        attn_alloc_fail_at(nth);
        int result = encoder_setup_init(&setup, &c, &(bench_settings){.seed = 1}, &error) ||
                     encoder_check(&setup, &check, &error);
        attn_alloc_fail_at(0);
        encoder_setup_free(&setup);
        assert_int_equal(attn_alloc_live(), 0);
        if (!result)
            break;
        assert_non_null(strstr(error.message, "out of memory"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_right_implementations),
                                       cmocka_unit_test(test_wrong_implementations),
                                       cmocka_unit_test(test_prefill),
                                       cmocka_unit_test(test_chunk),
                                       cmocka_unit_test(test_costs_follow_the_row),
                                       cmocka_unit_test(test_refused_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
