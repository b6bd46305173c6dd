/* Converting whole models: exact at full rank, on the converted prefix, other tensors bit for bit. */
#include "attn/alloc.h"
#include "attn/convert.h"
#include "attn/file.h"
#include "attn/random.h"
#include "attn/safetensors.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/encoders.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"
#include "tests/support/spectra.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 24, HEADS = 4, LAYERS = 12, FRAMES = 90, BINS = 13 };

static uint64_t seed = 11;

static attn_config encoder_config(attn_model_type type, attn_pos_enc pos_enc, size_t layers) {
    attn_config config = {.model_type = type,
                          .variant = attn_variant_find("mha"),
                          .attention = {.d_model = D, .num_heads = HEADS, .pos_enc = pos_enc},
                          .num_layers = layers,
                          .input_dim = BINS,
                          .vocab_size = 5,
                          .conv_kernel_size = 5,
                          .ff_units = 2 * D,
                          .cgmlp_units = 2 * D,
                          .merge_method = ATTN_MERGE_CONCAT,
                          .input_layer = ATTN_INPUT_LINEAR,
                          .conv_norm = ATTN_NORM_BATCH,
                          .causal = true,
                          .after_norm = true,
                          .layer_norm_eps = 1e-5};
    return config;
}

/* Ill: singular values of the stacked key and value weights over twelve decades. */
static attn_model *encoder(attn_model_type type, attn_pos_enc pos_enc, size_t layers, bool ill) {
    attn_config config = encoder_config(type, pos_enc, layers);
    attn_model *model = make_model(&config, seed++);
    double sigma[D];
    float stacked[2 * D * D];
    for (size_t r = 0; r < D; r++)
        sigma[r] = 3.0 * pow(10.0, -12.0 * (double)r / (D - 1));
    for (size_t i = 0; ill && i < layers; i++) {
        attn_layer *layer = attn_model_attention(model, i);
        spectra_matrix(stacked, 2 * D, D, sigma, &seed);
        memcpy(layer->k_proj.weight, stacked, sizeof stacked / 2);
        memcpy(layer->v_proj.weight, stacked + D * D, sizeof stacked / 2);
    }
    return model;
}

static double distance(const float *a, const float *b, size_t n) {
    double sum = 0.0, all = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        all += (double)b[i] * (double)b[i];
    }
    return sqrt(sum / all);
}

static const attn_session_options whole = {.batch = 1, .left_chunks = -1, .impl = "auto"};

/* Converts a copy of the model by way of files, as the command does, and loads what was written. */
static attn_model *converted(attn_model *model, const attn_convert_options *options, attn_conversion *made) {
    attn_error error = {0};
    attn_config config = *attn_model_config(model);
    const char *before = scratch_path("before.safetensors"), *after = scratch_path("after.safetensors");
    attn_model *copy, *loaded;
    if (attn_model_save(model, before, &error) || attn_model_create(&copy, &config, &error) ||
        attn_model_load(copy, before, &error) || attn_convert_model(made, copy, options, &error) ||
        attn_conversion_save(made, &config, before, after, &error))
        fail_msg("%s", error.message);
    char *text = attn_config_format(&made->config, &error);
    attn_config read;
    if (attn_config_parse(&read, text, strlen(text), "converted", NULL, &error) ||
        attn_model_create(&loaded, &read, &error) || attn_model_load(loaded, after, &error))
        fail_msg("%s", error.message);
    attn_free(text);
    attn_model_free(copy);
    return loaded;
}

static attn_convert_options options_for(const char *type, attn_convert_method method, size_t size,
                                        const float *x, size_t frames) {
    return (attn_convert_options){.target = {attn_variant_find(type), method, size, size, false},
                                  .calibration = {.x = x, .batch = 1, .frames = frames}};
}

static void full_rank_is_exact_in_encoders(void **state) {
    (void)state;
    static const attn_convert_method methods[] = {ATTN_CONVERT_JOINT, ATTN_CONVERT_ACTIVATION};
    static const attn_model_type types[] = {ATTN_MODEL_CONFORMER, ATTN_MODEL_BRANCHFORMER};
    double worst = 0.0;
    for (size_t i = 0; i < 8; i++) {
        attn_model *model = encoder(types[i & 1], i & 2 ? ATTN_POS_REL : ATTN_POS_REL_WENET, LAYERS, i & 4);
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
    attn_model *model = encoder(ATTN_MODEL_CONFORMER, ATTN_POS_REL, LAYERS, false);
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

/* ---- The converted prefix ---- */

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
            encoder(i ? ATTN_MODEL_BRANCHFORMER : ATTN_MODEL_CONFORMER, ATTN_POS_REL, 4, false);
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

/* ---- Checkpoints ---- */

static void put_little(unsigned char *to, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> 8 * i);
}

/* A one-layer checkpoint as others write it: an encoder. prefix, linear_q names, F16 and BF16 and I64. */
static const char *foreign_checkpoint(void) {
    static const char *const names[] = {"q", "k", "v", "out"};
    static unsigned char file[8192];
    char header[4096];
    size_t used = 0, offset = 0;
    used += (size_t)snprintf(header, sizeof header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < 4; i++) {
        const char *dtype = i == 0 ? "F16" : i == 1 ? "BF16" : "F32";
        size_t wide = i < 2 ? 2 : 4;
        used += (size_t)snprintf(
            header + used, sizeof header - used,
            ",\"encoder.linear_%s.weight\":{\"dtype\":\"%s\",\"shape\":[8,8],\"data_offsets\":[%zu,%zu]}"
            ",\"encoder.linear_%s.bias\":{\"dtype\":\"%s\",\"shape\":[8],\"data_offsets\":[%zu,%zu]}",
            names[i], dtype, offset, offset + 64 * wide, names[i], dtype, offset + 64 * wide,
            offset + 72 * wide);
        offset += 72 * wide;
    }
    used += (size_t)snprintf(header + used, sizeof header - used,
                             ",\"encoder.bn.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],"
                             "\"data_offsets\":[%zu,%zu]}}",
                             offset, offset + 8);
    put_little(file, used, 8);
    memcpy(file + 8, header, used);
    for (size_t i = 0; i < offset + 8; i++) /* small halves and floats, none of them special */
        file[8 + used + i] = i % 2 ? (unsigned char)(0x2c + i % 7) : (unsigned char)(37 * i);
    return scratch_file("foreign.safetensors", file, 8 + used + offset + 8);
}

static void other_tensors_keep_name_type_and_bits(void **state) {
    (void)state;
    static const char text[] = "model_type: attention\nattention_type: mha\nd_model: 8\nnum_heads: 2\n";
    const char *from = foreign_checkpoint(), *to = scratch_path("foreign-mla.safetensors");
    attn_error error = {0};
    attn_config config;
    attn_model *model;
    attn_conversion made;
    attn_convert_options options = options_for("mla", ATTN_CONVERT_JOINT, 5, NULL, 0);
    if (attn_config_parse(&config, text, strlen(text), "foreign", NULL, &error) ||
        attn_model_create(&model, &config, &error) || attn_model_load(model, from, &error) ||
        attn_convert_model(&made, model, &options, &error) ||
        attn_conversion_save(&made, &config, from, to, &error))
        fail_msg("%s", error.message);
    attn_safetensors *before, *after;
    assert_int_equal(attn_safetensors_open(&before, from, &error), 0);
    assert_int_equal(attn_safetensors_open(&after, to, &error), 0);
    size_t kept = 0;
    for (size_t i = 0; i < attn_safetensors_count(before); i++) {
        const attn_safetensor *a = attn_safetensors_at(before, i), *b = attn_safetensors_find(after, a->name);
        bool replaced = strstr(a->name, "linear_k") || strstr(a->name, "linear_v");
        assert_int_equal(b == NULL, replaced);
        if (replaced)
            continue;
        assert_string_equal(a->dtype_name, b->dtype_name);
        assert_int_equal(a->rank, b->rank);
        assert_int_equal(a->size, b->size);
        assert_memory_equal(a->data, b->data, a->size);
        kept++;
    }
    assert_int_equal(kept, 5);
    assert_int_equal(attn_safetensors_count(after), 5 + 2 + 2 * 2 * 4);
    assert_non_null(attn_safetensors_find(after, "encoder.kv_compress.weight"));
    assert_non_null(attn_safetensors_find(after, "encoder.k_expand_A.1.bias"));
    attn_safetensors_close(before);
    attn_safetensors_close(after);

    attn_model *loaded;
    assert_int_equal(attn_model_create(&loaded, &made.config, &error), 0);
    if (attn_model_load(loaded, to, &error))
        fail_msg("%s", error.message);
    attn_model_free(loaded);
    attn_conversion_free(&made);
    attn_model_free(model);
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

/* ---- Budgets, folding, errors ---- */

static void budgets_are_kept(void **state) {
    (void)state;
    attn_model *model = encoder(ATTN_MODEL_CONFORMER, ATTN_POS_REL, 4, false);
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
        attn_model *model =
            encoder(i == 1 ? ATTN_MODEL_BRANCHFORMER : ATTN_MODEL_CONFORMER, ATTN_POS_REL, 3, false);
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

static void expect_failure(const attn_config *config, const attn_convert_options *options, const char *says) {
    attn_model *model = make_model(config, 3);
    attn_conversion made;
    attn_error error = {0};
    assert_int_equal(attn_convert_model(&made, model, options, &error), -1);
    attn_conversion_free(&made);
    if (!strstr(error.message, says))
        fail_msg("'%s' does not say '%s'", error.message, says);
    attn_model_free(model);
}

static void what_cannot_be_converted_is_named(void **state) {
    (void)state;
    attn_config config = encoder_config(ATTN_MODEL_CONFORMER, ATTN_POS_REL, 2), other = config;
    float x[FRAMES * BINS] = {0}, huge[FRAMES * BINS];
    attn_convert_options joint = options_for("mla", ATTN_CONVERT_JOINT, 4, NULL, 0), options = joint;
    other.variant = attn_variant_find("gqa");
    other.attention.num_kv_heads = 2;
    expect_failure(&other, &joint, "attention_type: found gqa, expected mha");
    other = encoder_config(ATTN_MODEL_BRANCHFORMER, ATTN_POS_REL, 2);
    other.merge_method = ATTN_MERGE_FIXED_AVE;
    other.cgmlp_weight = 1.0;
    expect_failure(&other, &joint, "no attention");
    options.target.method = ATTN_CONVERT_ACTIVATION;
    expect_failure(&config, &options, "method activation: needs calibration data");
    options.calibration = (attn_calibration){.x = x, .lengths = (size_t[]){0}, .batch = 1, .frames = FRAMES};
    expect_failure(&config, &options, "calibration data: no frame is left");
    for (size_t i = 0; i < FRAMES * BINS; i++)
        huge[i] = 3e38f;
    options.calibration = (attn_calibration){.x = huge, .batch = 1, .frames = FRAMES};
    expect_failure(&config, &options, "layer 0: inputs of the layer: dimension 0 is not finite");
    options = joint;
    options.total_ranks = 1;
    expect_failure(&config, &options, "1 latent dimensions are too few for 2 layers");
    options.target.method = ATTN_CONVERT_AVERAGE;
    expect_failure(&config, &options, "method average");
    options = options_for("gqa", ATTN_CONVERT_MEAN, 2, NULL, 0);
    options.target_error = 0.5;
    expect_failure(&config, &options, "needs a latent_dim to choose");
}

typedef struct conversion_call {
    attn_model *model;
    const attn_convert_options *options;
    const attn_config *config;
    const char *from, *to;
    size_t files; /* that are there before */
} conversion_call;

/* What fails leaves no file behind. */
static int convert_and_save(void *context, attn_error *error) {
    const conversion_call *call = context;
    attn_conversion made;
    int result = attn_convert_model(&made, call->model, call->options, error) ||
                 attn_conversion_save(&made, call->config, call->from, call->to, error);
    attn_conversion_free(&made);
    assert_int_equal(scratch_count(), call->files + !result);
    return result;
}

static void refused_memory_is_survived(void **state) {
    (void)state;
    attn_config config = encoder_config(ATTN_MODEL_CONFORMER, ATTN_POS_REL, 2);
    attn_model *model = make_model(&config, 3);
    attn_error error = {0};
    const char *from = scratch_path("from.safetensors"), *to = scratch_path("to.safetensors");
    float *x = random_floats(30 * BINS, 5);
    assert_int_equal(attn_model_save(model, from, &error), 0);
    attn_convert_options options = options_for("mla", ATTN_CONVERT_ACTIVATION, 0, x, 30);
    options.total_ranks = 9;
    conversion_call call = {model, &options, &config, from, to, scratch_count()};
    assert_true(refuse_each_allocation(convert_and_save, &call) >= 100);
    attn_free(x);
    attn_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_rank_is_exact_in_encoders),
        cmocka_unit_test(converted_encoders_stream),
        cmocka_unit_test(layers_see_the_converted_prefix),
        cmocka_unit_test(other_tensors_keep_name_type_and_bits),
        cmocka_unit_test(any_encoder_converts),
        cmocka_unit_test(budgets_are_kept),
        cmocka_unit_test(models_fold_back),
        cmocka_unit_test(what_cannot_be_converted_is_named),
        cmocka_unit_test(refused_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
