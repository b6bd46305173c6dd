/* Converting whole models: exact at full rank, fitted to the converted prefix, within budgets, and back. */
#include "attn/alloc.h"
#include "attn/convert.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/conversions.h"
#include "tests/support/models/distance.h"
#include "tests/support/models/encoders.h"
#include "tests/support/scratch.h"
#include "tests/support/spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 11;
static const attn_session_options whole = {.batch = 1, .left_chunks = -1, .impl = "auto"};

static void full_rank_is_exact_in_encoders(void **state) {
    (void)state;
    static const attn_convert_method methods[] = {ATTN_CONVERT_JOINT, ATTN_CONVERT_ACTIVATION};
    static const attn_model_type types[] = {ATTN_MODEL_CONFORMER, ATTN_MODEL_BRANCHFORMER};
    double worst = 0.0;
    for (size_t i = 0; i < 8; i++) {
        attn_model *model =
            mha_encoder(types[i & 1], i & 2 ? ATTN_POS_REL : ATTN_POS_REL_WENET, LAYERS, i & 4, &seed);
        float *x = random_floats(FRAMES * BINS, seed++), *test = random_floats(FRAMES * BINS, seed++);
        float *wanted = run(model, whole, test, FRAMES, NULL);
        for (size_t m = 0; m < 4; m++) {
            /* five frames are far too few to know anything by */
            attn_convert_options options =
                options_for(m & 1 ? "mla" : "mla_simple", methods[m >> 1], D, x, m == 3 ? 5 : FRAMES);
            attn_conversion made;
            attn_model *after = converted(model, &options, &made);
            float *got = run(after, whole, test, FRAMES, NULL);
            double off = distance(got, wanted, FRAMES * D);
            worst = fmax(worst, off);
            if (!(off <= 1e-5))
                fail_msg("%s %s: off by %g", attn_model_type_names[types[i & 1]],
                         attn_convert_method_names[methods[m >> 1]], off);
            attn_free(got);
            attn_conversion_free(&made);
            attn_model_free(after);
        }
        attn_convert_options options = options_for("mla_simple", ATTN_CONVERT_AVERAGE, D, NULL, 0);
        attn_conversion made;
        attn_model *after = converted(model, &options, &made);
        float *got = run(after, whole, test, FRAMES, NULL);
        assert_true(distance(got, wanted, FRAMES * D) > 1e-3);
        attn_free(got);
        attn_conversion_free(&made);
        attn_model_free(after);
        attn_free(wanted);
        attn_free(x);
        attn_free(test);
        attn_model_free(model);
    }
    print_message("at full rank the output is off by at most %.2g\n", worst);
}

/* A converted encoder streams, and its caches are as large as the formula says. */
static void converted_encoders_stream(void **state) {
    (void)state;
    attn_model *model = mha_encoder(ATTN_MODEL_CONFORMER, ATTN_POS_REL, LAYERS, false, &seed);
    float *x = random_floats(FRAMES * BINS, seed++);
    attn_convert_options options = options_for("mla", ATTN_CONVERT_ACTIVATION, 10, x, FRAMES);
    attn_conversion made;
    attn_model *after = converted(model, &options, &made);
    attn_session_options in_chunks = {
        .batch = 1, .max_frames = FRAMES, .chunk = 7, .left_chunks = 2, .impl = "auto"};
    float *scalar, *got = run(after, in_chunks, x, FRAMES, NULL);
    in_chunks.impl = "scalar";
    scalar = run(after, in_chunks, x, FRAMES, NULL);
    assert_true(distance(got, scalar, FRAMES * D) < 1e-5);
    attn_session *session = open_session(after, in_chunks);
    assert_int_equal(attn_session_kv_bytes_live(session), LAYERS * 3 * 7 * 10 * sizeof(float));
    attn_session_close(session);
    attn_free(got);
    attn_free(scalar);
    attn_conversion_free(&made);
    attn_model_free(after);
    attn_model_free(model);
    attn_free(x);
}

typedef struct capture {
    size_t layer;
    float *x;
    size_t frames;
} capture;

static void take_inputs(void *context, size_t layer, const float *x, size_t batch, size_t frames,
                        const size_t *valid) {
    capture *c = context;
    if (layer != c->layer)
        return;
    c->x = realloc(c->x, frames * batch * D * sizeof *c->x);
    c->frames = 0;
    for (size_t b = 0; b < batch; b++) {
        memcpy(c->x + c->frames * D, x + b * frames * D, valid[b] * D * sizeof *x);
        c->frames += valid[b];
    }
}

static void capture_inputs(capture *c, attn_model *model, const attn_calibration *in) {
    attn_session_options options = {.batch = in->batch,
                                    .max_frames = in->frames,
                                    .left_chunks = -1,
                                    .input = take_inputs,
                                    .input_context = c};
    attn_session *session = open_session(model, options);
    float *out = make_floats(in->batch * in->frames * D);
    attn_session_run(session, out, in->x, in->frames, in->lengths, NULL, NULL);
    attn_free(out);
    attn_session_close(session);
}

/* What each layer was fitted to is what the layers converted before it give, of the valid frames only: the
 * report is true of the finished model, and not of the original one. */
static void layers_see_the_converted_prefix(void **state) {
    (void)state;
    static const size_t lengths[] = {FRAMES, 40};
    for (size_t i = 0; i < 2; i++) {
        attn_model *model =
            mha_encoder(i ? ATTN_MODEL_BRANCHFORMER : ATTN_MODEL_CONFORMER, ATTN_POS_REL, 4, false, &seed);
        for (size_t layer = 0; layer < 4; layer++) /* so that attention matters to what follows */
            for (size_t k = 0; k < D * D; k++)
                attn_model_attention(model, layer)->out_proj.weight[k] *= 8.0f;
        float *x = random_floats(2 * FRAMES * BINS, seed++);
        attn_convert_options options = options_for("mla_simple", ATTN_CONVERT_ACTIVATION, 3, x, FRAMES);
        options.calibration.batch = 2;
        options.calibration.lengths = lengths;
        attn_conversion made;
        attn_model *after = converted(model, &options, &made);
        for (size_t layer = 0; layer < 4; layer++) {
            capture now = {.layer = layer}, original = {.layer = layer};
            attn_convert_report report, unconverted;
            attn_error error = {0};
            capture_inputs(&now, after, &options.calibration);
            capture_inputs(&original, model, &options.calibration);
            assert_int_equal(now.frames, FRAMES + 40);
            attn_layer_inputs inputs = {now.x, now.frames}, others = {original.x, original.frames};
            const attn_layer *mha = attn_model_attention(model, layer);
            const attn_layer *mla = attn_model_attention(after, layer);
            const attn_variant *variant = attn_variant_find("mla_simple");
            assert_int_equal(attn_compare_layers(&report, mha, mla, variant, &inputs, &error), 0);
            assert_int_equal(attn_compare_layers(&unconverted, mha, mla, variant, &others, &error), 0);
            assert_int_equal(made.report[layer].frames, FRAMES + 40);
            assert_true(fabs(report.produced_error / made.report[layer].produced_error - 1.0) < 1e-4);
            assert_true(fabs(report.produced_error / report.produced_bound - 1.0) < 1e-4);
            if (layer)
                assert_true(fabs(unconverted.produced_error / report.produced_error - 1.0) > 1e-3);
            free(now.x);
            free(original.x);
        }
        attn_conversion_free(&made);
        attn_model_free(after);
        attn_model_free(model);
        attn_free(x);
    }
}

/* In every encoder: what is not attention is the same, and the result loads. */
static void any_encoder_converts(void **state) {
    (void)state;
    static const struct {
        const char *type;
        attn_convert_method method;
    } ways[] = {{"mla_simple", ATTN_CONVERT_SPLIT},
                {"mla", ATTN_CONVERT_ACTIVATION},
                {"gqa", ATTN_CONVERT_MEAN},
                {"gqa", ATTN_CONVERT_ACTIVATION}};
    for (size_t draw = 0; draw < 24; draw++) {
        attn_config config = draw_config(&seed);
        if (config.merge_method == ATTN_MERGE_FIXED_AVE && config.cgmlp_weight >= 1.0)
            continue; /* no attention in it */
        config.variant = attn_variant_find("mha");
        config.attention.latent_dim = config.attention.num_kv_heads = 0;
        attn_model *model = make_model(&config, seed++);
        size_t way = draw % 4, d = config.attention.d_model, frames = 60;
        size_t out_frames = attn_output_frames(&config, frames);
        float *x = random_floats(frames * config.input_dim, seed++);
        attn_convert_options options = options_for(ways[way].type, ways[way].method,
                                                   way < 2 ? d : config.attention.num_heads, x, frames);
        attn_conversion made;
        attn_model *after = converted(model, &options, &made);
        float *wanted = run(model, whole, x, frames, NULL), *got = run(after, whole, x, frames, NULL);
        if (ways[way].method != ATTN_CONVERT_SPLIT && !(distance(got, wanted, out_frames * d) <= 1e-5))
            fail_msg("draw %zu: off by %g", draw, distance(got, wanted, out_frames * d));
        attn_free(wanted);
        attn_free(got);
        attn_free(x);
        attn_conversion_free(&made);
        attn_model_free(after);
        attn_model_free(model);
    }
}

static void budgets_are_kept(void **state) {
    (void)state;
    attn_model *model = mha_encoder(ATTN_MODEL_CONFORMER, ATTN_POS_REL, 4, false, &seed);
    double sigma[D];
    float stacked[2 * D * D], *x = random_floats(FRAMES * BINS, seed++);
    for (size_t i = 0; i < 4; i++) { /* spectra that fall ever faster */
        attn_layer *layer = attn_model_attention(model, i);
        for (size_t r = 0; r < D; r++)
            sigma[r] = pow(0.95 - 0.2 * (double)i, (double)r);
        spectra_matrix(stacked, 2 * D, D, sigma, &seed);
        memcpy(layer->k_proj.weight, stacked, sizeof stacked / 2);
        memcpy(layer->v_proj.weight, stacked + D * D, sizeof stacked / 2);
    }
    for (size_t m = 0; m < 3; m++) {
        static const attn_convert_method methods[] = {ATTN_CONVERT_JOINT, ATTN_CONVERT_ACTIVATION,
                                                      ATTN_CONVERT_SPLIT};
        attn_convert_options options = options_for("mla_simple", methods[m], 0, x, FRAMES);
        options.total_ranks = 40;
        attn_conversion made;
        attn_model *after = converted(model, &options, &made);
        size_t total = 0, even[] = {10, 10, 10, 10}, ranks[4];
        for (size_t i = 0; i < 4; i++)
            total += ranks[i] = attn_model_attention(after, i)->geometry.latent_dim;
        assert_int_equal(total, 40);
        assert_true(ranks[0] > ranks[3]);
        double error = attn_spread_error(ranks, made.curve, 4);
        assert_true(error < attn_spread_error(even, made.curve, 4));
        attn_session *session =
            open_session(after, (attn_session_options){.batch = 1, .max_frames = 50, .left_chunks = -1});
        assert_int_equal(attn_session_kv_bytes_live(session), 40 * 50 * sizeof(float));
        assert_int_equal(attn_session_kv_bytes_formula(session), 40 * 50 * sizeof(float));
        attn_session_close(session);
        attn_free(run(after, whole, x, FRAMES, NULL));

        /* The curve of joint is what the weights lose. */
        for (size_t i = 0; methods[m] == ATTN_CONVERT_JOINT && i < 4; i++)
            assert_true(fabs(sqrt(made.curve[i].left[ranks[i]]) - made.report[i].weights_error) < 1e-6);
        attn_conversion_free(&made);
        attn_model_free(after);

        options.total_ranks = 0;
        options.target_error = error * 1.0001;
        after = converted(model, &options, &made);
        assert_true(attn_spread_error(ranks, made.curve, 4) <= options.target_error);
        total = 0;
        for (size_t i = 0; i < 4; i++)
            total += attn_model_attention(after, i)->geometry.latent_dim;
        assert_true(total <= 40);
        attn_conversion_free(&made);
        attn_model_free(after);
    }
    attn_free(x);
    attn_model_free(model);
}

static void models_fold_back(void **state) {
    (void)state;
    static const char *const types[] = {"mla_simple", "mla", "gqa"};
    for (size_t i = 0; i < 3; i++) {
        attn_model *model = mha_encoder(i == 1 ? ATTN_MODEL_BRANCHFORMER : ATTN_MODEL_CONFORMER, ATTN_POS_REL,
                                        3, false, &seed);
        float *x = random_floats(FRAMES * BINS, seed++);
        attn_convert_options options =
            options_for(types[i], ATTN_CONVERT_ACTIVATION, i == 2 ? 2 : 7, x, FRAMES);
        attn_conversion made, back;
        attn_error error = {0};
        attn_model *after = converted(model, &options, &made), *folded;
        float *wanted = run(after, whole, x, FRAMES, NULL);
        const char *to = scratch_path("folded.safetensors");
        if (attn_fold_model(&back, after, &error) ||
            attn_conversion_save(&back, &made.config, scratch_path("after.safetensors"), to, &error) ||
            attn_model_create(&folded, &back.config, &error) || attn_model_load(folded, to, &error))
            fail_msg("%s", error.message);
        assert_string_equal(back.config.variant->name, "mha");
        float *got = run(folded, whole, x, FRAMES, NULL);
        assert_true(distance(got, wanted, FRAMES * D) < 1e-5);
        attn_free(wanted);
        attn_free(got);
        attn_free(x);
        attn_conversion_free(&made);
        attn_conversion_free(&back);
        attn_model_free(folded);
        attn_model_free(after);
        attn_model_free(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_rank_is_exact_in_encoders),
        cmocka_unit_test(converted_encoders_stream),
        cmocka_unit_test(layers_see_the_converted_prefix),
        cmocka_unit_test(any_encoder_converts),
        cmocka_unit_test(budgets_are_kept),
        cmocka_unit_test(models_fold_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
