#include "tests/support/models/encoders.h"

#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/random.h"
#include "harness/verify/encoder_draw.h"

#include "tests/support/cmocka_all.h"

size_t pick(uint64_t *random, size_t count) {
    return attn_random_below(random, count);
}

attn_config draw_config(uint64_t *random) {
    attn_config config;
    attn_error error = {0};
    size_t variants = 0;
    while (attn_variants[variants])
        variants++;
    attn_model_type type = pick(random, 2) ? ATTN_MODEL_CONFORMER : ATTN_MODEL_BRANCHFORMER;
    if (encoder_draw(&config, type, attn_variants[pick(random, variants)], random, &error))
        fail_msg("%s", error.message);
    return config;
}

attn_config layer_config(const char *type, size_t layers) {
    attn_config config = {.model_type = ATTN_MODEL_ATTENTION,
                          .variant = attn_variant_find(type),
                          .attention = {.d_model = 16, .num_heads = 4},
                          .num_layers = layers,
                          .input_dim = 16,
                          .conv_kernel_size = 31,
                          .ff_units = 64,
                          .cgmlp_units = 64,
                          .cgmlp_weight = 0.5,
                          .after_norm = true,
                          .layer_norm_eps = 1e-5};
    attn_error error = {0};
    assert_int_equal(attn_geometry_complete(&config.attention, config.variant, NULL, &error), 0);
    return config;
}

attn_model *make_model(const attn_config *config, uint64_t seed) {
    attn_error error = {0};
    attn_model *model;
    if (encoder_draw_model(&model, config, seed, &error))
        fail_msg("%s", error.message);
    return model;
}

float *make_floats(size_t count) {
    float *floats = attn_alloc(count, sizeof *floats, "floats", NULL);
    assert_non_null(floats);
    return floats;
}

float *random_floats(size_t count, uint64_t seed) {
    float *x = make_floats(count);
    attn_random_uniform(x, count, 1.0f, &seed);
    return x;
}

size_t width_of(const attn_model *model) {
    return attn_model_config(model)->attention.d_model;
}

attn_session *open_session(attn_model *model, attn_session_options options) {
    attn_error error = {0};
    attn_session *session;
    if (attn_session_open(&session, model, &options, &error))
        fail_msg("%s", error.message);
    return session;
}

float *run(attn_model *model, attn_session_options options, const float *x, size_t frames,
           const size_t *lengths) {
    attn_error error = {0};
    options.max_frames = frames;
    attn_session *session = open_session(model, options);
    float *out =
        make_floats(options.batch * attn_output_frames(attn_model_config(model), frames) * width_of(model));
    attn_alloc_fail_at(1);
    attn_session_run(session, out, x, frames, lengths, NULL, NULL);
    assert_null(attn_alloc(1, 1, "still refused", &error));
    assert_int_equal(attn_session_kv_bytes_live(session), attn_session_kv_bytes_formula(session));
    assert_int_equal(attn_session_conv_bytes_live(session), attn_session_conv_bytes_formula(session));
    attn_session_close(session);
    return out;
}

void check_floats(const float *a, const float *b, size_t count, double tolerance) {
    attn_difference d = attn_compare(a, b, count, tolerance, tolerance);
    if (!d.ok)
        fail_msg("max difference %g of %g at %zu", d.max_abs, d.max_b, d.first_bad);
}
