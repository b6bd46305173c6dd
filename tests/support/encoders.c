#include "tests/support/encoders.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include "tests/support/cmocka_all.h"

size_t pick(uint64_t *random, size_t count) {
    return attn_random_below(random, count);
}

attn_config draw_config(uint64_t *random) {
    static const size_t widths[] = {4, 8, 10}, heads[] = {1, 2, 4}, kernels[] = {1, 3, 7, 15, 31};
    attn_config config = {.model_type = pick(random, 2) ? ATTN_MODEL_CONFORMER : ATTN_MODEL_BRANCHFORMER,
                          .num_layers = 1 + pick(random, 2),
                          .conv_kernel_size = kernels[pick(random, 5)],
                          .ff_units = 5 + pick(random, 60),
                          .cgmlp_units = 2 * (1 + pick(random, 70)),
                          .cgmlp_weight = (double)pick(random, 5) / 4,
                          .merge_method = (attn_merge)pick(random, 3),
                          .input_layer = (attn_input_layer)pick(random, 3),
                          .conv_norm = (attn_conv_norm)pick(random, 2),
                          .causal = pick(random, 2),
                          .after_norm = pick(random, 4) > 0,
                          .layer_norm_eps = 1e-5};
    config.conv_kernel_size += config.causal && pick(random, 2); /* even ones are causal */
    size_t variants = 0;
    while (attn_variants[variants])
        variants++;
    config.variant = attn_variants[pick(random, variants)];
    config.attention.num_heads = heads[pick(random, 3)];
    config.attention.d_model = config.attention.num_heads * widths[pick(random, 3)];
    config.attention.latent_dim = 3 + pick(random, 20);
    config.attention.pos_enc = (attn_pos_enc)pick(random, config.variant->is_softmax ? 4 : 2);
    config.input_dim =
        config.input_layer == ATTN_INPUT_NONE ? config.attention.d_model : 7 + pick(random, 10);
    attn_error error = {0};
    if (attn_geometry_complete(&config.attention, config.variant, NULL, &error))
        fail_msg("%s", error.message);
    return config;
}

/* Norms are not left at 1 and 0, where mistakes would hide. */
static int disturb(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    if (tensor->rank > 1)
        return 0;
    float *data = *tensor->data + tensor->offset, noise;
    for (size_t i = 0; i < tensor->dims[0]; i++) {
        attn_random_uniform(&noise, 1, 0.4f, context);
        data[i] += noise;
    }
    return 0;
}

attn_model *make_model(const attn_config *config, uint64_t seed) {
    attn_error error = {0};
    attn_model *model;
    if (attn_model_create(&model, config, &error))
        fail_msg("%s", error.message);
    attn_model_randomize(model, seed);
    attn_model_tensors(model, disturb, &seed, NULL);
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
