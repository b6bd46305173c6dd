/* What encoders cost and hold, counted by hand. */
#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/encoders.h"

static attn_config tiny_conformer(void) {
    attn_config config = {.model_type = ATTN_MODEL_CONFORMER,
                          .variant = attn_variant_find("mha"),
                          .attention = {.d_model = 8, .num_heads = 2},
                          .num_layers = 3,
                          .input_dim = 15,
                          .input_layer = ATTN_INPUT_CONV2D,
                          .conv_kernel_size = 5,
                          .ff_units = 32,
                          .cgmlp_units = 24,
                          .causal = true,
                          .after_norm = true,
                          .layer_norm_eps = 1e-5};
    return config;
}

static void test_bytes(void **state) {
    (void)state;
    attn_config config = tiny_conformer();
    attn_model *model = make_model(&config, 1);
    attn_session_options options = {
        .batch = 2, .max_frames = 83, .chunk = 4, .left_chunks = 2, .impl = "auto"};
    attn_session *session = open_session(model, options);
    assert_int_equal(attn_session_kv_bytes_live(session),
                     3 * 2 * 2 * 12 * 8 * 4); /* layers, k and v, B, frames */
    assert_int_equal(attn_session_conv_bytes_live(session), (2 * 3 * 2 * 4 * 8 + 2 * 3 * 15) * 4);
    attn_session_close(session);
    options.chunk = 0;
    session = open_session(model, options);
    assert_int_equal(attn_session_conv_bytes_live(session), 0);
    attn_session_close(session);
    attn_model_free(model);
}

/* 20 output frames of 83: counted by hand for the configuration above. */
static void test_flops(void **state) {
    (void)state;
    attn_config config = tiny_conformer();
    attn_model *model = make_model(&config, 1);
    attn_session *session =
        open_session(model, (attn_session_options){.batch = 1, .max_frames = 83, .impl = "auto"});
    double parts[ATTN_PARTS], sum = 0;
    double total = attn_session_flops(session, 83, parts);
    for (size_t i = 0; i < ATTN_PARTS; i++)
        sum += parts[i];
    assert_true(total == sum);
    assert_true(parts[ATTN_PART_FEED_FORWARD] == 3.0 * 4 * 2 * 20 * 8 * 32); /* four maps of 8 x 32 a layer */
    assert_true(parts[ATTN_PART_CONVOLUTION] == 3.0 * 2 * 20 * (16 * 8 + 5 * 8 + 8 * 8));
    /* 41 x 7 positions of 9 taps, 20 x 3 of 72, 24 to 8 */
    assert_true(parts[ATTN_PART_SUBSAMPLING] == 2.0 * (41 * 7 * 9 * 8 + 20 * 3 * 72 * 8 + 20 * 24 * 8));
    assert_true(parts[ATTN_PART_ATTENTION] > 3.0 * 4 * 2 * 20 * 8 * 8);
    attn_session_close(session);
    attn_model_free(model);
}

/* Without macaron a layer has one feed-forward module: half of the FLOPs, and its parameters are gone. */
static void test_no_macaron(void **state) {
    (void)state;
    attn_config config = tiny_conformer();
    attn_model *with = make_model(&config, 1);
    config.one_feed_forward = true;
    attn_model *model = make_model(&config, 1);
    attn_session *session =
        open_session(model, (attn_session_options){.batch = 1, .max_frames = 83, .impl = "auto"});
    double parts[ATTN_PARTS];
    attn_session_flops(session, 83, parts);
    assert_true(parts[ATTN_PART_FEED_FORWARD] == 3.0 * 2 * 2 * 20 * 8 * 32); /* two maps of 8 x 32 a layer */
    size_t module = 32 * 8 + 32 + 32 * 8 + 8 + 16;
    assert_int_equal(attn_model_parameters(model) + 3 * module, attn_model_parameters(with));
    attn_session_close(session);
    attn_model_free(model);
    attn_model_free(with);
}

static void test_parameters(void **state) {
    (void)state;
    attn_config config = tiny_conformer();
    attn_model *model = make_model(&config, 1);
    size_t attention = 4 * (8 * 8 + 8), ff = 2 * (32 * 8 + 32 + 32 * 8 + 8), norms = 6 * 16;
    size_t convolution = 16 * 8 + 16 + 8 * 5 + 8 + 8 * 8 + 8, layer = attention + ff + norms + convolution;
    size_t embed = 8 * 9 + 8 + 8 * 8 * 9 + 8 + 8 * 8 * 3 + 8;
    assert_int_equal(attn_model_parameters(model), embed + 3 * layer + 16);
    attn_model_free(model);
}

typedef struct marks {
    size_t count[ATTN_PARTS];
    attn_part last;
} marks;

static void mark(void *context, attn_part part) {
    marks *m = context;
    m->count[part]++;
    m->last = part;
}

static void test_parts_are_marked(void **state) {
    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        attn_config config = tiny_conformer();
        config.model_type = kind ? ATTN_MODEL_BRANCHFORMER : ATTN_MODEL_CONFORMER;
        attn_model *model = make_model(&config, 1);
        marks m = {.last = ATTN_PARTS};
        attn_session_options options = {
            .batch = 1, .max_frames = 31, .impl = "auto", .part = mark, .part_context = &m};
        attn_session *session = open_session(model, options);
        float *x = random_floats(31 * 15, 1), *out = make_floats(31 * 8);
        attn_session_run(session, out, x, 31, NULL, NULL, NULL);
        for (size_t i = 0; i < ATTN_PARTS; i++)
            assert_true(m.count[i] > 0);
        assert_int_equal(m.count[ATTN_PART_SUBSAMPLING], 1);
        assert_int_equal(m.count[ATTN_PART_ATTENTION], 3);
        assert_int_equal(m.last, ATTN_PART_OTHER);
        attn_free(x);
        attn_free(out);
        attn_session_close(session);
        attn_model_free(model);
    }
}

/* An utterance too short for the subsampling has no output, and is no error. */
static void test_too_short(void **state) {
    (void)state;
    attn_config config = tiny_conformer();
    attn_model *model = make_model(&config, 1);
    float *x = random_floats(2 * 7 * 15, 1);
    size_t lengths[] = {7, 6};
    float *none = run(model, (attn_session_options){.batch = 1, .impl = "blas"}, x, 6, NULL);
    float *one = run(model, (attn_session_options){.batch = 2, .chunk = 3, .impl = "blas"}, x, 7, lengths);
    for (size_t i = 0; i < 8; i++)
        assert_true(one[i] != 0.0f && one[8 + i] == 0.0f);
    attn_free(none);
    attn_free(one);
    attn_free(x);
    attn_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_flops),
        cmocka_unit_test(test_no_macaron),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_parts_are_marked),
        cmocka_unit_test(test_too_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
