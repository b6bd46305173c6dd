/* KV caches of every type: their bytes by hand, rows that come back rounded, what is dropped, and what rounding does to
 * the output of a layer. */
#include "attn/alloc.h"
#include "attn/attention.h"
#include "attn/random.h"
#include "attn/size.h"
#include "attn/threads.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3, FRAMES = 37 };

static attn_geometry geometry_of(const char *type, size_t d_model, size_t latent_dim) {
    attn_geometry g = {.d_model = d_model, .num_heads = 4, .num_kv_heads = 2, .latent_dim = latent_dim};
    attn_error error = {0};
    assert_int_equal(attn_geometry_complete(&g, attn_variant_find(type), NULL, &error), 0);
    return g;
}

/* d_k is 6, 4 heads, 2 of them with keys of their own in gqa; a latent of 70 takes three blocks. */
static void bytes_are_those_of_the_rows(void **state) {
    (void)state;
    static const struct {
        const char *type;
        size_t bytes[ATTN_ELEMENTS];
    } expected[] = {
        {"mha", {2 * 37 * 3 * 24 * 4, 2 * 37 * 3 * 24 * 2, 2 * 37 * 3 * 24 * 2, 2 * 37 * 3 * 4 * 34}},
        {"gqa", {2 * 37 * 3 * 12 * 4, 2 * 37 * 3 * 12 * 2, 2 * 37 * 3 * 12 * 2, 2 * 37 * 3 * 2 * 34}},
        {"mla_simple", {37 * 3 * 70 * 4, 37 * 3 * 70 * 2, 37 * 3 * 70 * 2, 37 * 3 * 3 * 34}},
        {"mla", {37 * 3 * 70 * 4, 37 * 3 * 70 * 2, 37 * 3 * 70 * 2, 37 * 3 * 3 * 34}},
        {"linear", {3 * 4 * (6 * 6 + 6) * 4}}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        for (attn_element type = ATTN_ELEMENT_F32; type <= ATTN_ELEMENT_Q8_0; type++) {
            const attn_variant *variant = attn_variant_find(expected[i].type);
            attn_geometry g = geometry_of(expected[i].type, 24, 70);
            attn_error error = {0};
            attn_cache cache;
            int failed = attn_cache_init(&cache, variant, &g, BATCH, FRAMES, type, &error);
            assert_int_equal(failed, expected[i].bytes[type] ? 0 : -1);
            assert_int_equal(attn_cache_bytes_live(&cache), expected[i].bytes[type]);
            if (failed)
                assert_non_null(
                    strstr(error.message, "expected f32, as linear attention keeps its state in it"));
            else
                assert_int_equal(variant->cache_bytes(&g, BATCH, FRAMES, type), expected[i].bytes[type]);
            attn_cache_free(&cache);
        }
    assert_int_equal(attn_alloc_live(), 0);
}

/* Numbers that every type holds, so that what comes back shows where a row was put. */
static float value_of(size_t b, size_t head, size_t frame) {
    return (float)(b * 100 + head * 40 + frame);
}

static void fill(attn_cache *cache, size_t slot, size_t frames) {
    float row[128];
    for (size_t b = 0; b < cache->batch; b++)
        for (size_t head = 0; head < attn_larger(1, cache->slot[slot].heads); head++)
            for (size_t t = 0; t < frames; t++) {
                for (size_t c = 0; c < cache->slot[slot].width; c++)
                    row[c] = c ? 0.0f : 127.0f * (float)(int)value_of(b, head, t) / 1024.0f;
                attn_cache_store(cache, slot, b, head, t, row, cache->slot[slot].width, 1);
            }
    cache->length = frames;
}

static void expect_rows(const attn_cache *cache, size_t slot, size_t first, size_t frames,
                        attn_element type) {
    float row[128];
    for (size_t b = 0; b < cache->batch; b++)
        for (size_t head = 0; head < attn_larger(1, cache->slot[slot].heads); head++)
            for (size_t t = 0; t < frames; t++) {
                float expected = 127.0f * value_of(b, head, first + t) / 1024.0f;
                attn_cache_load(row, cache, slot, b, head, t, 1);
                assert_true(fabs((double)row[0] - (double)expected) <=
                            attn_element_rounding(type) * (double)expected);
                for (size_t c = 1; c < cache->slot[slot].width; c++)
                    assert_true(row[c] == 0.0f);
            }
}

static void expect_kept(const char *name, attn_element type) {
    attn_geometry g = geometry_of(name, 24, 70);
    attn_error error = {0};
    attn_cache cache;
    assert_int_equal(attn_cache_init(&cache, attn_variant_find(name), &g, 2, 20, type, &error), 0);
    for (size_t slot = 0; slot < cache.slots; slot++)
        fill(&cache, slot, 17);
    attn_cache_keep(&cache, 5);
    assert_int_equal(cache.length, 5);
    assert_int_equal(cache.first, 12);
    for (size_t slot = 0; slot < cache.slots; slot++)
        expect_rows(&cache, slot, 12, 5, type);
    attn_cache_free(&cache);
}

static void the_newest_rows_are_kept(void **state) {
    (void)state;
    for (size_t count = 1; count <= 3; count++) {
        attn_threads *threads;
        assert_int_equal(attn_threads_open(&threads, count, NULL, NULL), 0);
        attn_threads *before = attn_threads_use(threads);
        for (attn_element type = ATTN_ELEMENT_F32; type <= ATTN_ELEMENT_Q8_0; type++) {
            expect_kept("gqa", type);
            expect_kept("mla", type);
        }
        attn_threads_use(before);
        attn_threads_close(threads);
    }
}

/* A block of q8_0 has one scale: a value that does not fit it makes the whole block NaN, and nothing beyond it. */
static void expect_spoiled_block(float value, size_t at) {
    enum { SPOILED = 70, BEGIN = ATTN_Q8_VALUES, END = 2 * ATTN_Q8_VALUES };
    float row[SPOILED], back[SPOILED];
    attn_q8_block blocks[3];
    for (size_t i = 0; i < SPOILED; i++)
        row[i] = (float)i + 1.0f;
    row[at] = value;
    attn_element_store(blocks, row, SPOILED, ATTN_ELEMENT_Q8_0);
    attn_element_load(back, blocks, SPOILED, ATTN_ELEMENT_Q8_0);
    for (size_t i = 0; i < SPOILED; i++)
        assert_int_equal(!isnan(back[i]), i < BEGIN || i >= END);
}

static void a_block_says_what_does_not_fit_it(void **state) {
    (void)state;
    const float values[] = {NAN, -NAN, INFINITY, 1e9f};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (size_t at = ATTN_Q8_VALUES; at < 2 * ATTN_Q8_VALUES; at++)
            expect_spoiled_block(values[i], at);
}

/* Sum of twelve: near to normal, variance 1. */
static void normal(float *x, size_t n, uint64_t *random) {
    float draw[12];
    for (size_t i = 0; i < n; i++) {
        attn_random_uniform(draw, 12, 1.0f, random);
        x[i] = 0.0f;
        for (size_t j = 0; j < 12; j++)
            x[i] += draw[j] / 2;
    }
}

/* Calls of a stream: what came before, a chunk, a decoded frame. */
enum { LENGTH = 200, WIDTH = 128, CALLS = 3 };
static const size_t calls[CALLS] = {LENGTH - 17, 16, 1};

static void attend(float *out, const attn_variant *variant, const attn_layer *layer, const float *x,
                   attn_element type) {
    const attn_impl *impl = attn_impl_find(variant, "auto");
    attn_error error = {0};
    attn_cache cache;
    void *workspace =
        attn_alloc(impl->workspace(&layer->geometry, 1, LENGTH, LENGTH, ATTN_PATH_AUTO, 1), 1, "w", &error);
    assert_non_null(workspace);
    assert_int_equal(attn_cache_init(&cache, variant, &layer->geometry, 1, LENGTH, type, &error), 0);
    for (size_t i = 0, at = 0; i < CALLS; at += calls[i++] * WIDTH)
        impl->forward(out + at, layer, &cache, &(attn_call){.x = x + at, .batch = 1, .frames = calls[i]},
                      workspace);
    attn_cache_free(&cache);
    attn_free(workspace);
}

/* Root mean square of the difference over that of the output. */
static double difference(const float *rounded, const float *exact, size_t count) {
    double squares = 0.0, differences = 0.0;
    for (size_t i = 0; i < count; i++) {
        squares += (double)exact[i] * (double)exact[i];
        differences += pow((double)exact[i] - (double)rounded[i], 2);
    }
    return sqrt(differences / squares);
}

/* Of each call; the biases, which rounding does not touch, are 0. */
static void output_errors(double errors[CALLS], const attn_variant *variant, attn_element type,
                          uint64_t *random) {
    static float x[LENGTH * WIDTH], exact[LENGTH * WIDTH], rounded[LENGTH * WIDTH];
    attn_geometry g = geometry_of(variant->name, WIDTH, 64);
    attn_layer layer;
    attn_error error = {0};
    assert_int_equal(attn_layer_create(&layer, variant, &g, 3, &error), 0);
    const size_t parameters = attn_layer_parameters(variant, &g);
    normal(layer.memory, parameters, random);
    for (size_t i = 0; i < parameters; i++)
        layer.memory[i] /= sqrtf(WIDTH);
    memset(layer.out_proj.bias, 0, WIDTH * sizeof(float));
    normal(x, LENGTH * WIDTH, random);
    attend(exact, variant, &layer, x, ATTN_ELEMENT_F32);
    attend(rounded, variant, &layer, x, type);
    for (size_t i = 0, at = 0; i < CALLS; at += calls[i++] * WIDTH)
        errors[i] = difference(rounded + at, exact + at, calls[i] * WIDTH);
    attn_layer_free(&layer);
}

/* On normal data. That rounding shows at all is checked too: a cache that stayed in f32 would be no cache of its type. */
static void rounding_costs_little(void **state) {
    (void)state;
    static const double most[ATTN_ELEMENTS] = {0.0, 5e-4, 4e-3, 1e-2};
    uint64_t random = 7;
    for (size_t v = 0; attn_variants[v]; v++)
        for (attn_element type = ATTN_ELEMENT_F16; type <= ATTN_ELEMENT_Q8_0 && attn_variants[v]->is_softmax;
             type++) {
            double errors[CALLS];
            output_errors(errors, attn_variants[v], type, &random);
            printf("%s %s: output off by %.4f%%, of a chunk %.4f%%, of a frame %.4f%%\n",
                   attn_variants[v]->name, attn_kv_dtype_names[type], 100 * errors[0], 100 * errors[1],
                   100 * errors[2]);
            for (size_t i = 0; i < CALLS; i++)
                assert_true(errors[i] <= most[type] && errors[i] > most[type] / 100);
        }
    assert_int_equal(attn_alloc_live(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_those_of_the_rows), cmocka_unit_test(the_newest_rows_are_kept),
        cmocka_unit_test(a_block_says_what_does_not_fit_it), cmocka_unit_test(rounding_costs_little)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
