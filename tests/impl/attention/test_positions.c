/* Relative positions: sinusoids from small tables, both ways of computing scores, and what they cost. */
#include "attn/alloc.h"
#include "attn/attention.h"
#include "attn/compare.h"
#include "attn/random.h"
#include "base/arena.h"
#include "impl/attention/positions.h"
#include "impl/attention/projected.h"
#include "impl/attention/softmax/softmax_blas.h"

#include <cblas.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const attn_pos_enc encodings[] = {ATTN_POS_REL, ATTN_POS_REL_WENET};

/* Every product that an implementation takes goes through here (linked with --wrap). */
static double products;

void __real_cblas_sgemm(CBLAS_LAYOUT, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, float,
                        const float *, blasint, const float *, blasint, float, float *, blasint);
void __wrap_cblas_sgemm(CBLAS_LAYOUT, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, float,
                        const float *, blasint, const float *, blasint, float, float *, blasint);
void __wrap_cblas_sgemm(CBLAS_LAYOUT order, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n,
                        blasint k, float alpha, const float *a, blasint lda, const float *b, blasint ldb,
                        float beta, float *c, blasint ldc) {
    products += 2.0 * m * n * k;
    __real_cblas_sgemm(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void __real_cblas_sgemv(CBLAS_LAYOUT, CBLAS_TRANSPOSE, blasint, blasint, float, const float *, blasint,
                        const float *, blasint, float, float *, blasint);
void __wrap_cblas_sgemv(CBLAS_LAYOUT, CBLAS_TRANSPOSE, blasint, blasint, float, const float *, blasint,
                        const float *, blasint, float, float *, blasint);
void __wrap_cblas_sgemv(CBLAS_LAYOUT order, CBLAS_TRANSPOSE t, blasint m, blasint n, float alpha,
                        const float *a, blasint lda, const float *x, blasint incx, float beta, float *y,
                        blasint incy) {
    products += 2.0 * m * n;
    __real_cblas_sgemv(order, t, m, n, alpha, a, lda, x, incx, beta, y, incy);
}

static void assert_sinusoids(const attn_sinusoids *s, long p) {
    float row[66], expected[66];
    attn_sinusoids_row(s, row, p);
    attn_positions(expected, p, 1, s->d_model);
    if (!attn_compare(row, expected, s->d_model, 3e-7, 0).ok)
        fail_msg("position %ld of %zu, width %zu", p, s->reach, s->d_model);
}

static void sinusoids_are_those_of_the_formula(void **state) {
    (void)state;
    static const size_t reaches[] = {1, 255, 256, 700, 20000}, widths[] = {1, 15, 64};
    for (size_t r = 0; r < 5; r++)
        for (size_t w = 0; w < 3; w++) {
            attn_sinusoids s;
            attn_error error = {0};
            long reach = (long)reaches[r];
            assert_int_equal(attn_sinusoids_init(&s, reaches[r], widths[w], &error), 0);
            assert_int_equal(attn_alloc_size(s.fine),
                             attn_sinusoids_floats(reaches[r], widths[w]) * sizeof(float));
            for (long p = -reach; p <= reach; p += reach > 1000 ? 37 : 1)
                assert_sinusoids(&s, p);
            assert_sinusoids(&s, reach);
            assert_sinusoids(&s, -reach - 256); /* where the middle of a stretch may lie */
            attn_sinusoids_free(&s);
        }
    assert_int_equal(attn_alloc_live(), 0);
}

static void sinusoids_survive_refused_memory(void **state) {
    (void)state;
    attn_sinusoids s;
    attn_error error = {0};
    attn_alloc_fail_at(1);
    assert_int_equal(attn_sinusoids_init(&s, 1000, 64, &error), -1);
    attn_alloc_fail_at(0);
    assert_non_null(strstr(error.message, "out of memory"));
    attn_sinusoids_free(&s);
}

/* A stream: frames come in calls of `chunk`, of which the newest `keep` frames are kept after each. */
typedef struct stream {
    const attn_variant *variant;
    attn_geometry geometry;
    attn_layer layer;
    size_t batch, frames, chunk, keep;
    attn_path path;
    attn_sinusoids sinusoids;
    attn_projected projected; /* kept from call to call, where it has panels */
    float *x;                 /* [frames, B, d_model], so that a call's rows are together when B is 1 */
    const size_t *lengths;
} stream;

static stream open_stream(const attn_variant *variant, attn_geometry g, size_t batch, size_t frames) {
    stream s = {.variant = variant, .geometry = g, .batch = batch, .frames = frames, .chunk = frames};
    attn_error error = {0};
    uint64_t random = 5;
    s.keep = frames;
    assert_int_equal(attn_geometry_complete(&s.geometry, variant, NULL, &error), 0);
    assert_int_equal(attn_layer_create(&s.layer, variant, &s.geometry, 3, &error), 0);
    assert_int_equal(attn_sinusoids_init(&s.sinusoids, frames, g.d_model, &error), 0);
    s.x = malloc(batch * frames * g.d_model * sizeof *s.x);
    attn_random_uniform(s.x, batch * frames * g.d_model, 3.0f, &random);
    return s;
}

static void close_stream(stream *s) {
    attn_layer_free(&s->layer);
    attn_sinusoids_free(&s->sinusoids);
    free(s->x);
}

/* Exactly `bytes` bytes. One block serves all calls: under sanitizers a new one costs more than a call. */
static unsigned char *exactly(size_t bytes) {
    static unsigned char *block;
    static size_t size;
    if (bytes > size) {
        free(block);
        size = bytes;
        block = aligned_alloc(64, size);
    }
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    ASAN_POISON_MEMORY_REGION(block + bytes, size - bytes);
    return block;
}

/* Products of one call, which runs in exactly the workspace that is stated, with a mark behind it. */
static double run_call(const stream *s, const attn_impl *impl, float *out, attn_cache *cache, size_t t,
                       size_t n) {
    enum { MARK = 64 }; /* bytes */
    unsigned char mark[MARK];
    size_t rows = s->batch * s->geometry.d_model;
    size_t bytes = impl->workspace(&s->geometry, s->batch, n, cache->length + n, s->path, 1);
    unsigned char *workspace = exactly(bytes + MARK);
    memset(workspace, 0xff, bytes); /* NaN */
    memset(mark, 0x5a, MARK);
    memcpy(workspace + bytes, mark, MARK);
    attn_call call = {.x = s->x + t * rows,
                      .batch = s->batch,
                      .frames = n,
                      .lengths = s->lengths,
                      .path = s->path,
                      .sinusoids = &s->sinusoids,
                      .projected = s->projected};
    products = 0;
    impl->forward(out + t * rows, &s->layer, cache, &call, workspace);
    assert_memory_equal(workspace + bytes, mark, MARK);
    return products;
}

static float *run(const stream *s, const char *name) {
    const attn_impl *impl = attn_impl_find(s->variant, name);
    attn_cache cache;
    attn_error error = {0};
    float *out = malloc(s->batch * s->frames * s->geometry.d_model * sizeof *out);
    assert_int_equal(attn_cache_init(&cache, s->variant, &s->geometry, s->batch, s->keep + s->chunk,
                                     ATTN_ELEMENT_F32, &error),
                     0);
    for (size_t t = 0; t < s->frames; t += s->chunk) {
        size_t n = s->chunk < s->frames - t ? s->chunk : s->frames - t;
        attn_cache_keep(&cache, s->keep);
        run_call(s, impl, out, &cache, t, n);
    }
    attn_cache_free(&cache);
    return out;
}

static void compare_fast(const stream *s, const float *expected) {
    size_t n = s->batch * s->frames * s->geometry.d_model;
    double limit = 1e-5 * attn_compare(expected, expected, n, 0, 0).max_b;
    for (size_t i = 1; i < ATTN_IMPLS && s->variant->impls[i].name; i++) {
        float *found = run(s, s->variant->impls[i].name);
        attn_difference d = attn_compare(found, expected, n, limit, 0);
        if (!d.ok)
            fail_msg("%s, %s, %s, h %zu, d %zu, B %zu, chunk %zu, keep %zu, path %d, %zu positions kept: off "
                     "by %g (limit %g) at %zu",
                     s->variant->impls[i].name, s->variant->name, attn_pos_enc_names[s->geometry.pos_enc],
                     s->geometry.num_heads, s->geometry.d_model, s->batch, s->chunk, s->keep, (int)s->path,
                     s->projected.count, d.max_abs, limit, d.first_bad);
        free(found);
    }
}

/* The positions of calls of at most `keys` keys, without the last `lacking`. */
static float *project(stream *s, size_t keys, size_t lacking) {
    s->projected = attn_projected_reach(&s->geometry, s->chunk, keys, s->frames);
    s->projected.count -= lacking;
    attn_arena dry = attn_arena_dry();
    attn_project_span_layout(&dry, &s->geometry, s->projected.count);
    float *panels = malloc(attn_projected_floats(&s->geometry, s->projected.count) * sizeof *panels),
          *workspace = malloc(dry.peak);
    attn_project_span(panels, workspace, &s->layer, &s->sinusoids, &s->projected);
    s->projected.panels = panels;
    free(workspace);
    return panels;
}

/* With projected positions of each call's own, with all of them kept, and with one too few for the last calls. */
static void assert_same_as_scalar(const stream *given) {
    stream s = *given;
    size_t most = s.keep + s.chunk < s.frames ? s.keep + s.chunk : s.frames;
    float *expected = run(&s, "scalar");
    compare_fast(&s, expected);
    for (size_t lacking = 0; lacking < 2; lacking++) {
        float *panels = project(&s, most, lacking);
        compare_fast(&s, expected);
        free(panels);
    }
    free(expected);
}

typedef void geometry_check(const attn_variant *variant, attn_geometry g, attn_path path);

/* With odd widths, widths below one stretch's rows, and queries that share keys. */
static void for_each_geometry(geometry_check *check) {
    static const attn_geometry geometries[] = {
        {.d_model = 32, .num_heads = 4, .num_kv_heads = 2, .latent_dim = 8},
        {.d_model = 15, .num_heads = 3, .num_kv_heads = 1, .latent_dim = 7},
        {.d_model = 8, .num_heads = 1, .num_kv_heads = 1, .latent_dim = 9}};
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t i = 0; i < 3 * 2 && attn_variants[v]->is_softmax; i++)
            for (attn_path path = ATTN_PATH_EXPAND; path <= ATTN_PATH_ABSORB; path++) {
                attn_geometry g = geometries[i / 2];
                g.pos_enc = encodings[i % 2];
                if (attn_variants[v]->has_latent || path == ATTN_PATH_EXPAND)
                    check(attn_variants[v], g, path);
            }
}

/* Whole, frame by frame, and chunks over a cache that drops frames; more keys than one stretch has. */
static void check_streams(const attn_variant *variant, attn_geometry g, attn_path path) {
    static const size_t chunks[][2] = {{300, 300}, {1, 20}, {7, 30}, {70, 300}};
    for (size_t i = 0; i < 4; i++) {
        stream s = open_stream(variant, g, 1, 300);
        s.chunk = chunks[i][0];
        s.keep = chunks[i][1];
        s.path = path;
        assert_same_as_scalar(&s);
        close_stream(&s);
    }
    stream s = open_stream(variant, g, 2, 20);
    size_t lengths[] = {13, 0};
    s.lengths = lengths;
    s.path = path;
    assert_same_as_scalar(&s);
    close_stream(&s);
}

static void streams_are_those_of_the_reference(void **state) {
    (void)state;
    for_each_geometry(check_streams);
}

/* So many keys that the projected positions of 3 heads fill what a group of heads may take, while 4 share
 * keys and values. */
static void heads_that_share_keys_may_be_split(void **state) {
    (void)state;
    enum { KEYS = 700000, FRAMES = 6, D = 16 };
    attn_geometry g = {.d_model = D, .num_heads = 8, .num_kv_heads = 2, .pos_enc = ATTN_POS_REL_WENET};
    stream s = open_stream(attn_variant_find("gqa"), g, 1, FRAMES);
    float out[2][FRAMES * D];
    attn_cache cache;
    attn_error error = {0};
    uint64_t random = 9;
    attn_sinusoids_free(&s.sinusoids);
    assert_int_equal(attn_sinusoids_init(&s.sinusoids, KEYS, D, &error), 0);
    assert_int_equal(attn_cache_init(&cache, s.variant, &s.geometry, 1, KEYS, ATTN_ELEMENT_F32, &error), 0);
    assert_true(attn_blas_head_group(&g, KEYS * attn_head_dim(&g)) == 3);
    assert_int_equal(attn_blas_position_count(&g, 1, FRAMES, KEYS), KEYS);
    for (size_t i = 0; i < cache.slots; i++)
        attn_random_uniform(cache.data[i], KEYS * 2 * attn_head_dim(&g), 3.0f, &random);
    for (size_t i = 0; i < 2; i++) {
        cache.length = KEYS - FRAMES;
        run_call(&s, &s.variant->impls[i], out[i], &cache, 0, FRAMES);
    }
    assert_true(attn_compare(out[1], out[0], FRAMES * D, 1e-5, 0).ok);
    attn_cache_free(&cache);
    close_stream(&s);
}

/* Under rel_pos_wenet a key keeps its position in the stream when others are dropped before it; under rel_pos
 * only the distance counts. out [2, d_model]: one call of two frames whose key 0 is frame `first`. */
static void run_shifted(float *out, stream *s, const char *impl, size_t first, long shift) {
    attn_cache cache;
    attn_error error = {0};
    const attn_impl *i = attn_impl_find(s->variant, impl);
    void *workspace = aligned_alloc(64, i->workspace(&s->geometry, 1, 2, 2, ATTN_PATH_AUTO, 1));
    assert_int_equal(attn_cache_init(&cache, s->variant, &s->geometry, 1, 2, ATTN_ELEMENT_F32, &error), 0);
    cache.first = first;
    attn_call call = {
        .x = s->x, .batch = 1, .frames = 2, .sinusoids = &s->sinusoids, .position_shift = shift};
    i->forward(out, &s->layer, &cache, &call, workspace);
    attn_cache_free(&cache);
    free(workspace);
}

static void dropped_frames_count(void **state) {
    (void)state;
    static const char *const impls[] = {"scalar", "blas", "fused"};
    for (size_t i = 0; i < 3 * 2; i++) {
        attn_geometry g = {.d_model = 16, .num_heads = 2, .pos_enc = encodings[i % 2]};
        stream s = open_stream(attn_variant_find("mha"), g, 1, 40);
        float plain[32], later[32], shifted[32];
        run_shifted(plain, &s, impls[i / 2], 0, 0);
        run_shifted(later, &s, impls[i / 2], 30, 0);
        run_shifted(shifted, &s, impls[i / 2], 0, 30);
        bool moves = !attn_compare(later, plain, 32, 1e-4, 0).ok;
        assert_int_equal(moves, g.pos_enc == ATTN_POS_REL_WENET);
        assert_false(attn_compare(shifted, plain, 32, 1e-4, 0).ok);
        if (moves)
            assert_true(attn_compare(shifted, later, 32, 0, 0).ok);
        close_stream(&s);
    }
}

static void few_queries_fold_and_many_project(void **state) {
    (void)state;
    for (size_t e = 0; e < 2; e++) {
        attn_geometry g = {.d_model = 512, .num_heads = 8, .pos_enc = encodings[e]};
        for (size_t keys = 300; keys <= 16000; keys *= 5) {
            assert_true(attn_blas_folds(&g, 1, 1, keys));
            assert_true(attn_blas_folds(&g, 1, 16, keys));
            assert_false(attn_blas_folds(&g, 1, keys, keys));
            assert_true(attn_blas_position_bound(&g, 1, 1, keys) < 3);
        }
        g.pos_enc = ATTN_POS_NONE;
        assert_false(attn_blas_folds(&g, 1, 1, 1000));
    }
}

/* The bound holds for every smaller call: none projects more. */
static void positions_are_bounded(void **state) {
    (void)state;
    static const attn_geometry geometries[] = {
        {.d_model = 24, .num_heads = 4}, {.d_model = 9, .num_heads = 9}, {.d_model = 7, .num_heads = 1}};
    for (size_t i = 0; i < 3 * 2; i++)
        for (size_t batch = 1; batch <= 3; batch += 2)
            for (size_t frames = 1; frames <= 14; frames++)
                for (size_t keys = frames; keys <= 90; keys++) {
                    attn_geometry g = geometries[i / 2];
                    g.pos_enc = encodings[i % 2];
                    size_t bound = attn_blas_position_bound(&g, batch, frames, keys);
                    assert_true(attn_blas_position_count(&g, batch, frames, keys) <= bound);
                    assert_true(bound <= attn_blas_position_bound(&g, batch, frames + 1, keys + 1));
                    assert_true(bound <= attn_blas_position_bound(&g, batch, frames, keys + 1));
                }
}

/* The registry's FLOPs are those of the products taken, to the last one. */
static void check_flops(const attn_variant *variant, attn_geometry g, attn_path path) {
    static const size_t shapes[][3] = {{1, 1, 301}, {1, 16, 301}, {1, 301, 301}, {2, 5, 40}, {3, 40, 40}};
    for (size_t i = 0; i < 5; i++) {
        size_t batch = shapes[i][0], frames = shapes[i][1], keys = shapes[i][2];
        stream s = open_stream(variant, g, batch, keys);
        s.path = path;
        attn_cache cache;
        attn_error error = {0};
        const attn_impl *impl = attn_impl_find(variant, "blas");
        float *out = malloc(batch * keys * g.d_model * sizeof *out);
        assert_int_equal(attn_cache_init(&cache, variant, &s.geometry, batch, keys, ATTN_ELEMENT_F32, &error),
                         0);
        cache.length = keys - frames;
        double taken = run_call(&s, impl, out, &cache, 0, frames);
        double stated =
            attn_impl_cost(variant, impl, &s.geometry, batch, frames, keys, path, ATTN_ELEMENT_F32).flops;
        if (taken != stated)
            fail_msg("%s, %s, d %zu, h %zu, B %zu, %zu queries, %zu keys, path %d: %.0f stated, %.0f taken",
                     variant->name, attn_pos_enc_names[g.pos_enc], g.d_model, g.num_heads, batch, frames,
                     keys, (int)path, stated, taken);
        attn_cache_free(&cache);
        free(out);
        close_stream(&s);
    }
}

static void flops_are_those_of_the_products(void **state) {
    (void)state;
    for_each_geometry(check_flops);
}

/* Without positions too, where the same formula serves every implementation. */
static void check_flops_without(const attn_variant *variant, attn_geometry g, attn_path path) {
    g.pos_enc = ATTN_POS_NONE;
    check_flops(variant, g, path);
}

static void flops_without_positions_are_too(void **state) {
    (void)state;
    for_each_geometry(check_flops_without);
}

/* Decoding with positions must not cost what projecting all of them would. */
static void decode_stays_cheap(void **state) {
    (void)state;
    for (size_t e = 0; e < 2; e++) {
        attn_geometry g = {.d_model = 512, .num_heads = 8, .pos_enc = encodings[e]};
        const attn_variant *mha = attn_variant_find("mha");
        const attn_impl *blas = attn_impl_find(mha, "blas"), *scalar = attn_impl_find(mha, "scalar");
        double with = attn_impl_cost(mha, blas, &g, 1, 1, 1000, ATTN_PATH_AUTO, ATTN_ELEMENT_F32).flops;
        double plain = mha->cost(&g, 1, 1, 1000, ATTN_PATH_EXPAND, ATTN_ELEMENT_F32).flops;
        /* 4 stretches of 250 keys, 126 from the middle on */
        assert_true(with - plain == 2 * 512.0 * 512.0 + 2 * 8 * (4 * 126.0) * 512.0);
        assert_true(attn_impl_cost(mha, scalar, &g, 1, 1, 1000, ATTN_PATH_AUTO, ATTN_ELEMENT_F32).flops >
                    20 * with);
        assert_true(blas->workspace(&g, 1, 1, 16000, ATTN_PATH_AUTO, 1) < (size_t)2 << 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sinusoids_are_those_of_the_formula),
        cmocka_unit_test(sinusoids_survive_refused_memory),
        cmocka_unit_test(streams_are_those_of_the_reference),
        cmocka_unit_test(heads_that_share_keys_may_be_split),
        cmocka_unit_test(dropped_frames_count),
        cmocka_unit_test(few_queries_fold_and_many_project),
        cmocka_unit_test(positions_are_bounded),
        cmocka_unit_test(flops_are_those_of_the_products),
        cmocka_unit_test(flops_without_positions_are_too),
        cmocka_unit_test(decode_stays_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
