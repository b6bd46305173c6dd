/* Encoders on random draws: padding is invisible, streams equal the whole under the same visibility, nothing
 * sees the future, the fast implementation equals the scalar one on every instruction set. */
#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/cpu.h"
#include "attn/random.h"
#include "harness/verify/encoder_draw.h"
#include "harness/verify/identities.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/encoders.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed_of_run = 20260101; /* the same draws each time; printed with each failure */

static double worst;

static void check_same(const float *a, const float *b, size_t count, double tolerance,
                       const attn_model *model, const char *what) {
    attn_difference d = attn_compare(a, b, count, tolerance, 0);
    worst = d.max_abs > worst ? d.max_abs : worst;
    char text[256];
    encoder_draw_text(text, attn_model_config(model));
    if (!d.ok)
        fail_msg("%s: %s: off by %g at %zu of %zu (seed %llu)", text, what, d.max_abs, d.first_bad, count,
                 (unsigned long long)seed_of_run);
}

static void say_worst(const char *what, size_t draws) {
    print_message("%s: %zu draws, largest difference %.2g, seed %llu\n", what, draws, worst,
                  (unsigned long long)seed_of_run);
    worst = 0;
}

/* ---- Identities: padding is invisible, a stream equals the whole, and the others ---- */

static void expect_holds(void *context, const identity_result *r) {
    size_t *counts = context;
    bool padding = strstr(r->identity, "padded") != NULL, stream = strstr(r->identity, "streamed") != NULL;
    if (!r->ok)
        fail_msg("%s, %s %s: %s (seed %llu)", r->identity, r->model, r->variant, r->where,
                 (unsigned long long)seed_of_run);
    counts[0]++;
    counts[1] += padding ? r->comparisons / 6 : 0; /* 3 utterances, valid frames and what is beyond them */
    counts[2] += stream ? r->comparisons : 0;
    assert_true(!padding || r->limit <= 1e-5);
    assert_true(!stream || r->limit <= 1e-4);
    worst = r->worst > worst ? r->worst : worst;
}

static void test_identities(void **state) {
    (void)state;
    enum { DRAWS = 25 };
    size_t counts[3] = {0}, types = 0;
    attn_error error = {0};
    while (attn_variants[types])
        types++;
    assert_int_equal(encoder_identities_run(seed_of_run, DRAWS, expect_holds, counts, &error), 0);
    assert_int_equal(counts[0],
                     2 * (3 * types + 3)); /* of both encoders: 3 for each type, and 3 of one type */
    assert_int_equal(counts[1], 2 * types * DRAWS);
    assert_int_equal(counts[2], 2 * types * DRAWS);
    assert_int_equal(attn_alloc_live(), 0);
    say_worst("identities", DRAWS * counts[0]);
}

/* Of each line: the first allocation, the second, the fourth and so on. */
static void test_identities_survive_refused_memory(void **state) {
    (void)state;
    for (size_t line = 0; line < encoder_identity_lines(); line++) {
        identity_result r;
        int result = -1;
        for (size_t nth = 1; result; nth *= 2) {
            attn_error error = {0};
            attn_alloc_fail_at(nth);
            result = encoder_identity_run(line, seed_of_run + line, 1, &r, &error);
            attn_alloc_fail_at(0);
            assert_int_equal(attn_alloc_live(), 0);
            assert_true(result ? error.code == ATTN_ERROR_MEMORY : !r.identity || nth > 32);
        }
    }
}

/* ---- Streams of other models ---- */

/* Without causal convolutions, and with nothing kept, every chunk is as if it were alone. */
static void test_chunks_that_keep_nothing(void **state) {
    (void)state;
    uint64_t random = seed_of_run + 2;
    enum { DRAWS = 40 };
    for (size_t i = 0; i < DRAWS; i++) {
        attn_config config = draw_config(&random);
        config.causal = false;
        config.conv_kernel_size |= 1;
        if (config.attention.pos_enc != ATTN_POS_REL)
            config.attention.pos_enc = ATTN_POS_NONE;
        attn_model *model = make_model(&config, attn_random_next(&random));
        size_t chunk = 1 + pick(&random, 7), dim = config.input_dim, d_model = width_of(model);
        bool conv2d = config.input_layer == ATTN_INPUT_CONV2D;
        size_t frames = conv2d ? 4 * 3 * chunk + 3 : 3 * chunk, step = conv2d ? 4 * chunk : chunk;
        float *x = random_floats(frames * dim, random);
        attn_session_options options = {.batch = 1, .chunk = chunk, .left_chunks = 0, .impl = "blas"};
        float *stream = run(model, options, x, frames, NULL);
        for (size_t c = 0; c < 3; c++) {
            float *alone = run(model, (attn_session_options){.batch = 1, .impl = "scalar"},
                               x + c * step * dim, conv2d ? step + 3 : step, NULL);
            check_same(stream + c * chunk * d_model, alone, chunk * d_model, 1e-4, model, "chunk alone");
            attn_free(alone);
        }
        attn_free(stream);
        attn_free(x);
        attn_model_free(model);
    }
    say_worst("chunks alone", DRAWS);
}

/* ---- Causality ---- */

/* Whole run, attention masked to chunks of one frame: changing the input from some frame on changes no output
 * before it, to the bit. */
static void test_causality(void **state) {
    (void)state;
    uint64_t random = seed_of_run + 3;
    for (size_t i = 0; i < 40; i++) {
        attn_config config = draw_config(&random);
        config.causal = true;
        config.input_layer = ATTN_INPUT_LINEAR;
        if (config.merge_method == ATTN_MERGE_LEARNED_AVE)
            config.merge_method = ATTN_MERGE_FIXED_AVE;
        attn_variant masked = encoder_masked_variant(config.variant, 1, -1);
        config.variant = &masked;
        attn_model *model = make_model(&config, attn_random_next(&random));
        size_t frames = 2 + pick(&random, 40), from = 1 + pick(&random, frames - 1), dim = config.input_dim;
        attn_session_options options = {.batch = 1, .impl = "scalar"};
        float *x = random_floats(frames * dim, random), *before = run(model, options, x, frames, NULL);
        for (size_t k = from * dim; k < frames * dim; k++)
            x[k] += 1.0f;
        float *after = run(model, options, x, frames, NULL);
        size_t d_model = width_of(model);
        assert_memory_equal(before, after, from * d_model * sizeof(float));
        assert_memory_not_equal(before + from * d_model, after + from * d_model, d_model * sizeof(float));
        attn_free(before);
        attn_free(after);
        attn_free(x);
        attn_model_free(model);
    }
}

/* ---- Implementations ---- */

static void test_scalar_equals_blas(void **state) {
    (void)state;
    uint64_t random = seed_of_run + 4;
    size_t draws = 0;
    for (attn_isa isa = ATTN_ISA_BASE; isa <= ATTN_ISA_AVX512; isa++)
        for (size_t i = 0; !attn_cpu_use(isa) && i < 60; i++, draws++) {
            attn_config config = draw_config(&random);
            if (i % 20 == 0) { /* wider than any vector or block of channels */
                config.attention = (attn_geometry){.d_model = 144, .num_heads = 2};
                attn_geometry_complete(&config.attention, config.variant, NULL, NULL);
                config.input_dim = config.input_layer == ATTN_INPUT_NONE ? 144 : config.input_dim;
            }
            attn_model *model = make_model(&config, attn_random_next(&random));
            size_t frames = 7 + pick(&random, 50), out = attn_output_frames(&config, frames);
            float *x = random_floats(2 * frames * config.input_dim, random);
            float *scalar = run(model, (attn_session_options){.batch = 2, .impl = "scalar"}, x, frames, NULL);
            float *blas = run(model, (attn_session_options){.batch = 2, .impl = "blas"}, x, frames, NULL);
            check_same(blas, scalar, 2 * out * width_of(model), 1e-4, model, attn_isa_names[isa]);
            attn_free(scalar);
            attn_free(blas);
            attn_free(x);
            attn_model_free(model);
        }
    attn_cpu_use(attn_cpu_detected());
    say_worst("scalar and blas", draws);
}

/* More frames than the parts take together in one tile. */
static void test_more_than_a_tile(void **state) {
    (void)state;
    uint64_t random = seed_of_run + 5;
    for (size_t i = 0; i < 6; i++) {
        attn_config config = draw_config(&random);
        config.num_layers = 1;
        config.variant = attn_variant_find("linear");
        config.attention.pos_enc = ATTN_POS_NONE;
        config.model_type = i % 2 ? ATTN_MODEL_CONFORMER : ATTN_MODEL_BRANCHFORMER;
        config.input_layer = ATTN_INPUT_NONE;
        config.input_dim = config.attention.d_model;
        config.causal = i < 3;
        attn_model *model = make_model(&config, attn_random_next(&random));
        size_t frames = 1100, lengths[] = {1100, 700}, count = 2 * frames * width_of(model);
        float *x = random_floats(count, random);
        float *scalar = run(model, (attn_session_options){.batch = 2, .impl = "scalar"}, x, frames, lengths);
        float *blas = run(model, (attn_session_options){.batch = 2, .impl = "blas"}, x, frames, lengths);
        check_same(blas, scalar, count, 1e-4, model, "tiles");
        attn_free(scalar);
        attn_free(blas);
        attn_free(x);
        attn_model_free(model);
    }
}

/* A session is as new at each run: nothing of the run before is left in any cache. */
static void test_running_again(void **state) {
    (void)state;
    uint64_t random = seed_of_run + 6;
    for (size_t i = 0; i < 20; i++) {
        attn_config config = draw_config(&random);
        config.causal = true;
        attn_model *model = make_model(&config, attn_random_next(&random));
        size_t frames = 40, dim = config.input_dim,
               count = attn_output_frames(&config, frames) * width_of(model);
        float *x = random_floats(2 * frames * dim, random), *first = make_floats(count),
              *again = make_floats(count);
        attn_session_options options = {
            .batch = 1, .max_frames = frames, .chunk = 3, .left_chunks = -1, .impl = "blas"};
        attn_session *session = open_session(model, options);
        attn_session_run(session, first, x, frames, NULL, NULL, NULL);
        attn_session_run(session, again, x + frames * dim, frames, NULL, NULL, NULL);
        assert_memory_not_equal(first, again, count * sizeof(float));
        attn_session_run(session, again, x, frames, NULL, NULL, NULL);
        assert_memory_equal(first, again, count * sizeof(float));
        attn_session_close(session);
        attn_free(x);
        attn_free(first);
        attn_free(again);
        attn_model_free(model);
    }
}

/* A random stream that has run once: `last` is where the last chunk begins in `out`. */
typedef struct stream {
    attn_config config;
    attn_model *model;
    attn_session *session;
    bool slides;
    size_t frames, chunk, total, count, last, held, first;
    float *x, *out, *other;
} stream;

static void expect_held(const stream *s) {
    assert_int_equal(attn_session_cache(s->session, 0)->length, s->held);
    assert_int_equal(attn_session_cache(s->session, 0)->first, s->first);
}

static stream draw_stream(uint64_t *random) {
    stream s = {.config = draw_config(random), .frames = 45};
    s.slides = s.config.variant->forgets && pick(random, 2);
    s.model = make_model(&s.config, attn_random_next(random));
    s.total = attn_output_frames(&s.config, s.frames);
    s.count = s.total * width_of(s.model);
    s.chunk = 1 + pick(random, 9);
    s.last = (s.total - 1) / s.chunk * s.chunk * width_of(s.model);
    s.x = random_floats(s.frames * s.config.input_dim, *random);
    s.out = make_floats(s.count);
    s.other = make_floats(s.count);
    s.session = open_session(
        s.model, (attn_session_options){
                     .batch = 1, .max_frames = s.frames, .chunk = s.chunk, .left_chunks = s.slides ? 1 : -1});
    attn_session_run(s.session, s.out, s.x, s.frames, NULL, NULL, NULL);
    s.held = attn_session_cache(s.session, 0)->length;
    s.first = attn_session_cache(s.session, 0)->first;
    return s;
}

static void drop_stream(stream *s) {
    attn_session_close(s->session);
    attn_free(s->x);
    attn_free(s->out);
    attn_free(s->other);
    attn_model_free(s->model);
}

/* The newest call again: the same numbers where no state, sliding cache or earlier input is in play; the same
 * frames held, and nothing else written, everywhere. */
static void test_repeated_call(void **state) {
    (void)state;
    uint64_t random = seed_of_run + 7;
    for (size_t i = 0; i < 60; i++) {
        stream s = draw_stream(&random);
        bool same = !s.slides && s.config.variant->forgets && s.config.input_layer != ATTN_INPUT_CONV2D &&
                    !s.config.causal;
        for (size_t k = 0; k < 3; k++)
            attn_session_repeat(s.session, s.other, s.x, s.frames);
        expect_held(&s);
        for (size_t k = 0; k < s.count; k++)
            assert_true(k < s.last ? s.other[k] == 0 : isfinite(s.other[k]));
        if (same)
            assert_memory_equal(s.out + s.last, s.other + s.last, (s.count - s.last) * sizeof(float));
        drop_stream(&s);
    }
}

/* The end of a run alone leaves caches as full and as far as the whole run; of three calls or less it is that run. */
static void test_end_of_run(void **state) {
    (void)state;
    uint64_t random = seed_of_run + 8;
    for (size_t i = 0; i < 30; i++) {
        stream s = draw_stream(&random);
        attn_session_run_end(s.session, s.other, s.x, s.frames);
        expect_held(&s);
        for (size_t k = s.last; k < s.count; k++)
            assert_true(isfinite(s.other[k]));
        if (s.total <= 3 * s.chunk)
            assert_memory_equal(s.out, s.other, s.count * sizeof(float));
        attn_session_repeat(s.session, s.other, s.x, s.frames);
        expect_held(&s);
        attn_session_run(s.session, s.other, s.x, s.frames, NULL, NULL, NULL);
        assert_memory_equal(s.out, s.other, s.count * sizeof(float));
        drop_stream(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_identities_survive_refused_memory),
        cmocka_unit_test(test_chunks_that_keep_nothing),
        cmocka_unit_test(test_causality),
        cmocka_unit_test(test_scalar_equals_blas),
        cmocka_unit_test(test_more_than_a_tile),
        cmocka_unit_test(test_running_again),
        cmocka_unit_test(test_repeated_call),
        cmocka_unit_test(test_end_of_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
