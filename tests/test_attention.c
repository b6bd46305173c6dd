/* The identities of attention, on random geometries: every implementation against the scalar reference, both
 * MLA paths, GQA = MHA at h_kv = h, chunks against the mask they stand for, linear attention against its
 * quadratic form. */
#include "attn/alloc.h"
#include "attn/attention.h"
#include "attn/compare.h"
#include "attn/cpu.h"
#include "attn/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct setting {
    const attn_variant *variant;
    attn_geometry geometry;
    size_t batch, frames;
    size_t lengths[3];
    uint64_t seed;
} setting;

static uint64_t seed_of_run = 20260101;

static setting draw(const attn_variant *variant, uint64_t *random) {
    static const size_t widths[] = {8, 12, 16}, heads[] = {1, 2, 4};
    setting s = {.variant = variant, .seed = attn_random_next(random)};
    s.geometry.num_heads = heads[attn_random_below(random, 3)];
    s.geometry.d_model = s.geometry.num_heads * widths[attn_random_below(random, 3)];
    s.geometry.num_kv_heads = s.geometry.num_heads >> attn_random_below(random, 2);
    s.geometry.latent_dim = 1 + attn_random_below(random, 2 * s.geometry.d_model);
    s.geometry.pos_enc = variant->is_softmax ? (attn_pos_enc)attn_random_below(random, 4) : ATTN_POS_NONE;
    attn_error error = {0};
    assert_int_equal(attn_geometry_complete(&s.geometry, variant, NULL, &error), 0);
    s.batch = 1 + attn_random_below(random, 3);
    s.frames = 1 + attn_random_below(random, 20);
    for (size_t b = 0; b < 3; b++)
        s.lengths[b] = attn_random_below(random, s.frames + 1); /* 0 too: a fully masked utterance */
    return s;
}

/* Runs the setting in chunks of `chunk` frames (0: whole) and returns [B, T, d_model]. */
static float *run(const setting *s, const char *impl, attn_path path, size_t chunk, const size_t *lengths) {
    attn_error error = {0};
    attn_layer layer;
    attn_cache cache;
    size_t d = s->geometry.d_model, step = chunk ? chunk : s->frames, row = s->frames * d;
    assert_int_equal(attn_layer_create(&layer, s->variant, &s->geometry, s->seed, &error), 0);
    assert_int_equal(attn_cache_init(&cache, s->variant, &s->geometry, s->batch, s->frames, &error), 0);
    float *x = attn_alloc(s->batch * row, sizeof(float), "x", &error);
    float *part = attn_alloc(s->batch * step * d, sizeof(float), "chunk", &error);
    float *y = attn_alloc(s->batch * step * d, sizeof(float), "y", &error);
    float *out = attn_alloc(s->batch * row, sizeof(float), "out", &error);
    float *table = attn_alloc((2 * s->frames + 1) * d, sizeof(float), "positions", &error);
    uint64_t random = s->seed + 1;
    attn_random_uniform(x, s->batch * row, 2.0f, &random);
    attn_positions(table, s->geometry.pos_enc == ATTN_POS_REL ? -(long)s->frames : 0, 2 * s->frames + 1, d);
    const attn_impl *implementation = attn_impl_find(s->variant, impl);
    for (size_t t = 0; t < s->frames; t += step) {
        size_t n = step < s->frames - t ? step : s->frames - t;
        for (size_t b = 0; b < s->batch; b++)
            memcpy(part + b * n * d, x + b * row + t * d, n * d * sizeof(float));
        attn_call call = {.x = part,
                          .batch = s->batch,
                          .frames = n,
                          .lengths = lengths,
                          .path = path,
                          .positions = table,
                          .positions_origin = s->geometry.pos_enc == ATTN_POS_REL ? s->frames : 0};
        float *workspace = attn_alloc(implementation->workspace(&s->geometry, s->batch, n, t + n, path),
                                      sizeof(float), "workspace", &error);
        implementation->forward(y, &layer, &cache, &call, workspace);
        attn_free(workspace); /* a fresh one for each call: ASan sees any step beyond what was asked for */
        for (size_t b = 0; b < s->batch; b++)
            memcpy(out + b * row + t * d, y + b * n * d, n * d * sizeof(float));
    }
    assert_int_equal(cache.length, s->frames);
    attn_free(x), attn_free(part), attn_free(y), attn_free(table);
    attn_cache_free(&cache);
    attn_layer_free(&layer);
    return out;
}

static void expect_same(float *a, float *b, const setting *s, const char *what) {
    size_t n = s->batch * s->frames * s->geometry.d_model;
    attn_difference d = attn_compare(a, b, n, 2e-5, 2e-5);
    if (!d.ok)
        fail_msg(
            "%s %s: d %zu h %zu hkv %zu dc %zu pos %s B %zu T %zu: |difference| %g of %g at %zu, seed %llu",
            what, s->variant->name, s->geometry.d_model, s->geometry.num_heads, s->geometry.num_kv_heads,
            s->geometry.latent_dim, attn_pos_enc_names[s->geometry.pos_enc], s->batch, s->frames, d.max_abs,
            d.max_b, d.first_bad, (unsigned long long)s->seed);
    attn_free(a);
    attn_free(b);
}

static void for_each_draw(void (*check)(const setting *s)) {
    uint64_t random = seed_of_run;
    for (size_t v = 0; attn_variants[v]; v++)
        for (int round = 0; round < 30; round++) {
            setting s = draw(attn_variants[v], &random);
            check(&s);
        }
}

static void check_implementations(const setting *s) {
    for (attn_path path = ATTN_PATH_EXPAND;
         path <= (s->variant->has_latent ? ATTN_PATH_ABSORB : ATTN_PATH_EXPAND); path++)
        for (size_t chunk = 0; chunk <= 3; chunk += 3)
            for (int i = 1; i < ATTN_IMPLS && s->variant->impls[i].name; i++) {
                const char *name = s->variant->impls[i].name;
                expect_same(run(s, name, path, chunk, s->lengths), run(s, "scalar", path, chunk, s->lengths),
                            s, name);
                expect_same(run(s, name, path, chunk, NULL), run(s, "scalar", path, chunk, NULL), s, name);
            }
}

static void implementations_equal_the_reference(void **state) {
    (void)state;
    for (attn_isa isa = ATTN_ISA_BASE; isa <= ATTN_ISA_AVX512; isa++) {
        if (attn_cpu_use(isa)) {
            print_message("%s: not on this CPU\n", attn_isa_names[isa]);
            continue;
        }
        for_each_draw(check_implementations);
    }
    attn_cpu_use(attn_cpu_detected());
}

static void check_paths(const setting *s) {
    if (s->variant->has_latent)
        expect_same(run(s, "scalar", ATTN_PATH_ABSORB, 0, s->lengths),
                    run(s, "scalar", ATTN_PATH_EXPAND, 0, s->lengths), s, "absorb = expand");
}

static void absorbing_equals_expanding(void **state) {
    (void)state;
    for_each_draw(check_paths);
}

static void gqa_with_all_heads_is_mha(void **state) {
    (void)state;
    uint64_t random = seed_of_run;
    for (int round = 0; round < 20; round++) {
        setting s = draw(attn_variant_find("gqa"), &random);
        s.geometry.num_kv_heads = s.geometry.num_heads;
        setting mha = s;
        mha.variant = attn_variant_find("mha");
        mha.geometry.num_kv_heads = 0;
        expect_same(run(&s, "scalar", ATTN_PATH_AUTO, 0, s.lengths),
                    run(&mha, "scalar", ATTN_PATH_AUTO, 0, s.lengths), &s, "h_kv = h");
    }
}

/* A chunk sees the whole cache and itself: its rows equal a whole run that ends with it. */
static void check_chunks(const setting *s) {
    enum { CHUNK = 4 };
    float *chunked = run(s, "scalar", ATTN_PATH_AUTO, CHUNK, s->lengths);
    size_t d = s->geometry.d_model, row = s->frames * d;
    setting prefix = *s;
    prefix.batch = 1;
    for (size_t end = CHUNK; end <= s->frames; end += CHUNK) {
        prefix.frames = s->frames;
        size_t visible = s->lengths[0] < end ? s->lengths[0] : end;
        float *whole = run(&prefix, "scalar", ATTN_PATH_AUTO, 0, &visible);
        attn_difference difference =
            attn_compare(chunked + (end - CHUNK) * d, whole + (end - CHUNK) * d, CHUNK * d, 2e-5, 2e-5);
        if (!difference.ok)
            fail_msg("%s chunk that ends at %zu: %g", s->variant->name, end, difference.max_abs);
        attn_free(whole);
    }
    (void)row;
    attn_free(chunked);
}

static void chunks_equal_their_mask(void **state) {
    (void)state;
    for_each_draw(check_chunks);
}

/* sum_j (phi(q) . phi(k_j)) v_j / (sum_j phi(q) . phi(k_j) + eps), with the T x T matrix written out. */
static void linear_equals_its_quadratic_form(void **state) {
    (void)state;
    uint64_t random = seed_of_run;
    for (int round = 0; round < 10; round++) {
        setting s = draw(attn_variant_find("linear"), &random);
        s.batch = 1;
        float *out = run(&s, "scalar", ATTN_PATH_AUTO, 0, NULL);
        attn_layer l;
        attn_error error = {0};
        assert_int_equal(attn_layer_create(&l, s.variant, &s.geometry, s.seed, &error), 0);
        size_t d = s.geometry.d_model, d_k = attn_head_dim(&s.geometry), T = s.frames;
        double *x = calloc(T * d, sizeof *x), *q = calloc(T * d, sizeof *q), *k = calloc(T * d, sizeof *k);
        double *v = calloc(T * d, sizeof *v), *y = calloc(T * d, sizeof *y);
        float *draw_x = calloc(T * d, sizeof *draw_x);
        uint64_t r = s.seed + 1;
        attn_random_uniform(draw_x, T * d, 2.0f, &r);
        for (size_t t = 0; t < T; t++)
            for (size_t o = 0; o < d; o++) {
                q[t * d + o] = l.q_proj.bias[o], k[t * d + o] = l.k_proj.bias[o],
                          v[t * d + o] = l.v_proj.bias[o];
                for (size_t i = 0; i < d; i++) {
                    q[t * d + o] += (double)draw_x[t * d + i] * (double)l.q_proj.weight[o * d + i];
                    k[t * d + o] += (double)draw_x[t * d + i] * (double)l.k_proj.weight[o * d + i];
                    v[t * d + o] += (double)draw_x[t * d + i] * (double)l.v_proj.weight[o * d + i];
                }
                q[t * d + o] = q[t * d + o] > 0 ? q[t * d + o] + 1 : exp(q[t * d + o]);
                k[t * d + o] = k[t * d + o] > 0 ? k[t * d + o] + 1 : exp(k[t * d + o]);
            }
        for (size_t i = 0; i < T; i++)
            for (size_t c = 0; c < d; c++) {
                size_t head = c / d_k;
                double above = 0, below = 1e-6;
                for (size_t j = 0; j < T; j++) {
                    double weight = 0;
                    for (size_t a = head * d_k; a < (head + 1) * d_k; a++)
                        weight += q[i * d + a] * k[j * d + a];
                    above += weight * v[j * d + c];
                    below += weight;
                }
                y[i * d + c] = above / below;
            }
        for (size_t t = 0; t < T; t++)
            for (size_t o = 0; o < d; o++) {
                double expected = l.out_proj.bias[o];
                for (size_t i = 0; i < d; i++)
                    expected += y[t * d + i] * (double)l.out_proj.weight[o * d + i];
                if (!(fabs(expected - (double)out[t * d + o]) <= 1e-5))
                    fail_msg("frame %zu: %g, expected %g", t, (double)out[t * d + o], expected);
            }
        free(x), free(q), free(k), free(v), free(y), free(draw_x);
        attn_layer_free(&l);
        attn_free(out);
    }
}

static void cache_bytes_are_the_formula(void **state) {
    (void)state;
    uint64_t random = seed_of_run;
    for (size_t v = 0; attn_variants[v]; v++) {
        setting s = draw(attn_variants[v], &random);
        attn_error error = {0};
        attn_cache cache;
        assert_int_equal(attn_cache_init(&cache, s.variant, &s.geometry, s.batch, 37, &error), 0);
        assert_int_equal(attn_cache_bytes_live(&cache),
                         s.variant->cache_bytes(&s.geometry, s.batch, 37, sizeof(float)));
        attn_cache_free(&cache);
    }
    assert_int_equal(attn_alloc_live(), 0);
}

static void refused_memory_is_an_error(void **state) {
    (void)state;
    uint64_t random = seed_of_run;
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t nth = 1;; nth++) {
            setting s = draw(attn_variants[v], &random);
            attn_error error = {0};
            attn_layer layer = {0};
            attn_cache cache = {0};
            attn_alloc_fail_at(nth);
            int result = attn_layer_create(&layer, s.variant, &s.geometry, 1, &error) ||
                         attn_cache_init(&cache, s.variant, &s.geometry, 2, 9, &error);
            attn_alloc_fail_at(0);
            attn_layer_free(&layer);
            attn_cache_free(&cache);
            assert_int_equal(attn_alloc_live(), 0);
            if (!result)
                break;
            assert_non_null(strstr(error.message, "out of memory"));
        }
}

static void workspace_does_not_grow_with_the_square(void **state) {
    (void)state;
    for (size_t v = 0; attn_variants[v]; v++) {
        attn_geometry g = {.d_model = 512, .num_heads = 8};
        attn_error error = {0};
        assert_int_equal(attn_geometry_complete(&g, attn_variants[v], NULL, &error), 0);
        const attn_impl *impl = attn_impl_find(attn_variants[v], "auto");
        size_t floats = impl->workspace(&g, 1, 16000, 16000, ATTN_PATH_AUTO);
        if (floats * sizeof(float) > (size_t)64 << 20)
            fail_msg("%s: %zu MiB of workspace at 16,000 frames", attn_variants[v]->name, floats >> 18);
    }
}

int main(void) {
    const char *seed = getenv("ATTN_TEST_SEED");
    if (seed)
        seed_of_run = strtoull(seed, NULL, 10);
    printf("seed %llu (ATTN_TEST_SEED)\n", (unsigned long long)seed_of_run);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(implementations_equal_the_reference),
        cmocka_unit_test(absorbing_equals_expanding),
        cmocka_unit_test(gqa_with_all_heads_is_mha),
        cmocka_unit_test(chunks_equal_their_mask),
        cmocka_unit_test(linear_equals_its_quadratic_form),
        cmocka_unit_test(cache_bytes_are_the_formula),
        cmocka_unit_test(refused_memory_is_an_error),
        cmocka_unit_test(workspace_does_not_grow_with_the_square),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
