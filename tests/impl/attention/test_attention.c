/* Attention layers and caches: the identities that must hold, bytes, and memory that is refused. */
#include "tests/support/refusals.h"

#include "attn/alloc.h"
#include "attn/attention.h"
#include "harness/verify/identities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed_of_run = 20260101;

static size_t variant_count(void) {
    size_t count = 0;
    while (attn_variants[count])
        count++;
    return count;
}

static void expect_holds(void *context, const identity_result *r) {
    size_t *count = context;
    ++*count;
    if (!r->ok || !r->comparisons)
        fail_msg("%s, %s: %s (%zu comparisons)", r->identity, r->variant, r->where, r->comparisons);
}

static void identities_hold(void **state) {
    (void)state;
    attn_error error = {0};
    size_t count = 0;
    assert_int_equal(identities_run(seed_of_run, 25, expect_holds, &count, &error), 0);
    assert_int_equal(count, 2 * variant_count() + 9); /* 2 for each type, and 9 of one type */
    assert_int_equal(attn_alloc_live(), 0);
}

static void ignore(void *context, const identity_result *r) {
    (void)context, (void)r;
}

static void identities_survive_refused_memory(void **state) {
    (void)state;
    for (size_t nth = 1; nth < 400; nth += 7) {
        attn_error error = {0};
        attn_alloc_fail_at(nth);
        assert_int_equal(identities_run(seed_of_run, 1, ignore, NULL, &error), -1);
        attn_alloc_fail_at(0);
        assert_int_equal(attn_alloc_live(), 0);
    }
}

static attn_geometry some_geometry(const attn_variant *variant) {
    attn_geometry g = {.d_model = 24, .num_heads = 4, .latent_dim = variant->has_latent ? 10 : 0};
    attn_error error = {0};
    assert_int_equal(attn_geometry_complete(&g, variant, NULL, &error), 0);
    return g;
}

static int create_once(void *context, attn_error *error) {
    const attn_variant *variant = context;
    attn_geometry g = some_geometry(variant);
    attn_layer layer = {0};
    attn_cache cache = {0};
    int result = attn_layer_create(&layer, variant, &g, 1, error) ||
                 attn_cache_init(&cache, variant, &g, 2, 9, ATTN_ELEMENT_F32, error);
    attn_layer_free(&layer);
    attn_cache_free(&cache);
    return result;
}

static void refused_memory_is_an_error(void **state) {
    (void)state;
    for (size_t v = 0; attn_variants[v]; v++)
        assert_true(refuse_each_allocation(create_once, (void *)attn_variants[v]) >= 2);
}

static attn_pos_enc last_encoding(const attn_variant *variant) {
    return variant->is_softmax ? ATTN_POS_REL_WENET : ATTN_POS_NONE;
}

/* A session makes its workspace once, for its largest call. */
static void workspace_serves_smaller_calls(void **state) {
    (void)state;
    for (size_t v = 0; attn_variants[v]; v++)
        for (attn_pos_enc pos = ATTN_POS_NONE; pos <= last_encoding(attn_variants[v]); pos++)
            for (size_t i = 0; attn_variants[v]->impls[i].name; i++) {
                attn_geometry g = some_geometry(attn_variants[v]);
                g.pos_enc = pos;
                size_t largest = attn_variants[v]->impls[i].workspace(&g, 1, 700, 20000, ATTN_PATH_AUTO, 1);
                for (size_t frames = 0; frames <= 700; frames += 37)
                    for (size_t keys = frames; keys <= 20000; keys += 997)
                        assert_true(attn_variants[v]->impls[i].workspace(&g, 1, frames, keys, ATTN_PATH_AUTO,
                                                                         1) <= largest);
            }
}

static void workspace_does_not_grow_with_the_square(void **state) {
    (void)state;
    for (size_t v = 0; attn_variants[v]; v++)
        for (attn_pos_enc pos = ATTN_POS_NONE; pos <= last_encoding(attn_variants[v]); pos++) {
            attn_geometry g = {.d_model = 512, .num_heads = 8, .num_kv_heads = 1, .pos_enc = pos};
            attn_error error = {0};
            assert_int_equal(attn_geometry_complete(&g, attn_variants[v], NULL, &error), 0);
            const attn_impl *impl = attn_impl_find(attn_variants[v], "auto");
            size_t bytes = impl->workspace(&g, 1, 16000, 16000, ATTN_PATH_AUTO, 1);
            if (pos > ATTN_POS_ABS)
                bytes += attn_sinusoids_floats(16000, g.d_model) * sizeof(float);
            if (bytes > (size_t)40 << 20)
                fail_msg("%s, %s: %zu MiB of workspace at 16,000 frames", attn_variants[v]->name,
                         attn_pos_enc_names[pos], bytes >> 20);
        }
}

/* More keys than fit any memory: no sum or product wraps around. */
/* The fused kernels hold the scores of a block of keys only: without positions nothing grows with them. */
static bool grows_with_keys(const attn_impl *impl, const attn_geometry *g) {
    return impl->workspace(g, 1, 700, 20000, ATTN_PATH_AUTO, 1) >
           impl->workspace(g, 1, 700, 1000, ATTN_PATH_AUTO, 1);
}

static void workspace_that_fits_no_memory_says_so(void **state) {
    (void)state;
    for (size_t v = 0; attn_variants[v]; v++)
        for (attn_pos_enc pos = ATTN_POS_NONE; pos <= last_encoding(attn_variants[v]); pos++)
            for (size_t i = 0; attn_variants[v]->is_softmax && attn_variants[v]->impls[i].name; i++) {
                attn_geometry g = some_geometry(attn_variants[v]);
                g.pos_enc = pos;
                if (!grows_with_keys(&attn_variants[v]->impls[i], &g))
                    continue;
                for (size_t keys = SIZE_MAX / 4; keys < SIZE_MAX / 4 + 300; keys++) {
                    attn_error error = {0};
                    size_t bytes = attn_variants[v]->impls[i].workspace(&g, 1, 700, keys, ATTN_PATH_AUTO, 1);
                    assert_true(bytes > PTRDIFF_MAX);
                    assert_null(attn_alloc(bytes, 1, "workspace", &error));
                    assert_non_null(strstr(error.message, "workspace"));
                }
            }
}

/* A quarter of the heads where that divides them, and always something that does. */
static void default_kv_heads_divide(void **state) {
    (void)state;
    static const size_t expected[][2] = {{1, 1},  {3, 1},  {4, 1},  {8, 2},  {9, 1},  {10, 2},
                                         {11, 1}, {12, 3}, {13, 1}, {15, 3}, {16, 4}, {18, 3}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        attn_geometry g = {.d_model = 8 * expected[i][0], .num_heads = expected[i][0]};
        attn_error error = {0};
        assert_int_equal(attn_geometry_complete(&g, attn_variant_find("gqa"), NULL, &error), 0);
        assert_int_equal(g.num_kv_heads, expected[i][1]);
    }
}

int main(void) {
    const char *seed = getenv("ATTN_TEST_SEED");
    if (seed)
        seed_of_run = strtoull(seed, NULL, 10);
    printf("seed %llu (ATTN_TEST_SEED)\n", (unsigned long long)seed_of_run);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_hold),
        cmocka_unit_test(identities_survive_refused_memory),
        cmocka_unit_test(default_kv_heads_divide),
        cmocka_unit_test(refused_memory_is_an_error),
        cmocka_unit_test(workspace_serves_smaller_calls),
        cmocka_unit_test(workspace_does_not_grow_with_the_square),
        cmocka_unit_test(workspace_that_fits_no_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
