/* Configurations as files give them: defaults, every key, what is written back, notes on what is ignored. */
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/config.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

static attn_config parsed(const char *text) {
    attn_config config;
    attn_error error = {0};
    if (attn_config_parse(&config, text, strlen(text), "F", NULL, &error))
        fail_msg("%s", error.message);
    return config;
}

static void same(const attn_config *a, const attn_config *b) {
    assert_int_equal(a->model_type, b->model_type);
    assert_ptr_equal(a->variant, b->variant);
    assert_memory_equal(&a->attention, &b->attention, sizeof a->attention);
    assert_int_equal(a->num_layers, b->num_layers);
    assert_int_equal(a->input_dim, b->input_dim);
    assert_int_equal(a->vocab_size, b->vocab_size);
    assert_int_equal(a->conv_kernel_size, b->conv_kernel_size);
    assert_int_equal(a->ff_units, b->ff_units);
    assert_int_equal(a->cgmlp_units, b->cgmlp_units);
    assert_true(a->cgmlp_weight == b->cgmlp_weight);
    assert_int_equal(a->merge_method, b->merge_method);
    assert_int_equal(a->input_layer, b->input_layer);
    assert_int_equal(a->conv_norm, b->conv_norm);
    assert_int_equal(a->features, b->features);
    assert_int_equal(a->feature_norm, b->feature_norm);
    assert_int_equal(a->one_feed_forward, b->one_feed_forward);
    assert_int_equal(a->causal, b->causal);
    assert_int_equal(a->after_norm, b->after_norm);
    assert_true(a->layer_norm_eps == b->layer_norm_eps);
    assert_true(a->dropout == b->dropout);
    assert_true(a->learning_rate == b->learning_rate);
    assert_true(a->weight_decay == b->weight_decay);
    assert_int_equal(a->batch_size, b->batch_size);
    assert_int_equal(a->num_epochs, b->num_epochs);
}

static void test_defaults(void **state) {
    (void)state;
    attn_config c = parsed("{}");
    assert_int_equal(c.model_type, ATTN_MODEL_CONFORMER);
    assert_string_equal(c.variant->name, "mha");
    assert_int_equal(c.attention.d_model, 512);
    assert_int_equal(c.attention.num_heads, 8);
    assert_int_equal(c.attention.pos_enc, ATTN_POS_REL);
    assert_int_equal(c.num_layers, 12);
    assert_int_equal(c.input_dim, 80);
    assert_int_equal(c.vocab_size, 0);
    assert_int_equal(c.conv_kernel_size, 31);
    assert_int_equal(c.ff_units, 2048);
    assert_int_equal(c.input_layer, ATTN_INPUT_CONV2D);
    assert_int_equal(c.conv_norm, ATTN_NORM_BATCH);
    assert_false(c.causal);
    assert_true(c.after_norm);
    assert_true(c.layer_norm_eps == 1e-5);

    c = parsed("model_type: attention\nattention_type: gqa\nd_model: 64\nnum_heads: 8\n");
    assert_int_equal(c.num_layers, 1);
    assert_int_equal(c.input_layer, ATTN_INPUT_NONE);
    assert_int_equal(c.input_dim, 64);
    assert_int_equal(c.attention.num_kv_heads, 2);
    assert_int_equal(c.attention.latent_dim, 0);
    assert_int_equal(c.attention.pos_enc, ATTN_POS_NONE);
    assert_false(c.after_norm);

    c = parsed("model_type: branchformer\nattention_type: linear\nd_model: 32\n");
    assert_int_equal(c.attention.pos_enc, ATTN_POS_ABS);
    assert_int_equal(c.cgmlp_units, 128);
    assert_int_equal(c.merge_method, ATTN_MERGE_CONCAT);
    assert_true(c.cgmlp_weight == 0.5);

    c = parsed("attention_type: mla\nattention_kwargs:\n");
    assert_int_equal(c.attention.latent_dim, 512);
}

static void test_latent_dims(void **state) {
    (void)state;
    attn_config c = parsed("attention_type: mla\nd_model: 64\nnum_layers: 3\n"
                           "attention_kwargs: {latent_dim: [16, 40, 8]}\n");
    static const size_t dims[] = {16, 40, 8};
    assert_int_equal(c.attention.latent_dim, 40);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(attn_config_geometry(&c, i).latent_dim, dims[i]);
    attn_error error = {0};
    char *text = attn_config_format(&c, &error);
    assert_non_null(strstr(text, "  latent_dim: [16, 40, 8]\n"));
    attn_config again = parsed(text);
    assert_memory_equal(again.latent_dims, c.latent_dims, sizeof c.latent_dims);
    attn_free(text);

    c = parsed("attention_type: mla\nd_model: 64\nnum_layers: 2\nattention_kwargs: {latent_dim: [16, 16]}\n");
    assert_int_equal(c.latent_dims[0], 0); /* a list that says the same for all is no list */
    assert_int_equal(attn_config_geometry(&c, 1).latent_dim, 16);
    c = parsed("attention_type: mha\nd_model: 64\nnum_layers: 2\nattention_kwargs: {latent_dim: [16, 9]}\n");
    assert_int_equal(c.latent_dims[0], 0);
}

static const char everything[] = "# every key\n"
                                 "model_type: branchformer\n"
                                 "attention_type: 'mla'\n"
                                 "d_model: 96\nnum_heads: 4\nnum_layers: 3\n"
                                 "attention_kwargs: {latent_dim: 24}\n"
                                 "merge_method: fixed_ave\n"
                                 "input_dim: 40\nvocab_size: 31\nconv_kernel_size: 4\n"
                                 "mlp_expansion_factor: 1.5\ncgmlp_linear_units: 144\ncgmlp_weight: .25\n"
                                 "input_layer: linear\npos_enc: rel_pos_wenet\n"
                                 "features: other\nfeature_norm: utterance_mvn\n"
                                 "causal: True\nafter_norm: false\nlayer_norm_eps: 1e-12\nkv_dtype: q8_0\n"
                                 "dropout: 0.15\nbatch_size: 16\nnum_epochs: 50\n"
                                 "learning_rate: 0.001\nweight_decay: 1.0e-6\n";

static void test_every_key(void **state) {
    (void)state;
    attn_config c = parsed(everything);
    assert_int_equal(c.model_type, ATTN_MODEL_BRANCHFORMER);
    assert_string_equal(c.variant->name, "mla");
    assert_int_equal(c.attention.d_model, 96);
    assert_int_equal(c.attention.num_heads, 4);
    assert_int_equal(c.attention.latent_dim, 24);
    assert_int_equal(c.attention.num_kv_heads, 0);
    assert_int_equal(c.kv_dtype, ATTN_ELEMENT_Q8_0);
    assert_int_equal(c.attention.pos_enc, ATTN_POS_REL_WENET);
    assert_int_equal(c.num_layers, 3);
    assert_int_equal(c.merge_method, ATTN_MERGE_FIXED_AVE);
    assert_int_equal(c.input_dim, 40);
    assert_int_equal(c.vocab_size, 31);
    assert_int_equal(c.conv_kernel_size, 4);
    assert_int_equal(c.cgmlp_units, 144);
    assert_true(c.cgmlp_weight == 0.25);
    assert_int_equal(c.input_layer, ATTN_INPUT_LINEAR);
    assert_int_equal(c.features, ATTN_FEATURES_OTHER);
    assert_int_equal(c.feature_norm, ATTN_FEATURE_NORM_UTTERANCE);
    assert_true(c.causal);
    assert_false(c.after_norm);
    assert_true(c.layer_norm_eps == 1e-12);
    assert_true(c.dropout == 0.15);
    assert_int_equal(c.batch_size, 16);
    assert_int_equal(c.num_epochs, 50);
    assert_true(c.learning_rate == 0.001);
    assert_true(c.weight_decay == 1e-6);
    assert_false(c.one_feed_forward);
    c = parsed("ff_expansion_factor: 2.5\nconv_norm: layer_norm\nmacaron_style: false\n");
    assert_true(c.one_feed_forward);
    assert_int_equal(c.ff_units, 1280);
    assert_int_equal(c.conv_norm, ATTN_NORM_LAYER);
}

static void test_format(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{}",
        everything,
        "model_type: attention\nattention_type: gqa\nd_model: 768\nnum_heads: 12\nattention_kwargs:\n  "
        "num_kv_heads: 4\n",
        "d_model: 768\nff_expansion_factor: 1.3333333333333333\nconv_norm: layer_norm\nlearning_rate: 0.1\n",
        "model_type: attention\nconv_kernel_size: 4\nmerge_method: learned_ave\nafter_norm: true\n",
        "feature_norm: global_mvn\n",
        "macaron_style: false\n",
        "model_type: branchformer\ncgmlp_weight: 0.1\nmerge_method: learned_ave\nconv_norm: layer_norm\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        attn_error error = {0};
        attn_config c = parsed(texts[i]);
        char *text = attn_config_format(&c, &error), note[256];
        assert_non_null(text);
        attn_config back;
        if (attn_config_parse(&back, text, strlen(text), "back", note, &error))
            fail_msg("%s in\n%s", error.message, text);
        assert_string_equal(note, "");
        same(&c, &back);
        attn_free(text);
    }
}

/* What was not given stays out of what is written. */
static void test_feature_notes(void **state) {
    (void)state;
    attn_error error = {0};
    attn_config c = parsed("{}");
    char *text = attn_config_format(&c, &error);
    assert_null(strstr(text, "feature"));
    assert_null(strstr(text, "macaron"));
    attn_free(text);
    assert_string_equal(attn_speech_note(&c), "");
    assert_string_equal(attn_feature_norm_note(&c, false), "");
    c = parsed("features: other\nfeature_norm: global_mvn\n");
    text = attn_config_format(&c, &error);
    assert_non_null(strstr(text, "features: other\nfeature_norm: global_mvn\n"));
    attn_free(text);
    assert_non_null(strstr(attn_speech_note(&c), "features: other: "));
    assert_non_null(strstr(attn_feature_norm_note(&c, false), "has no global_cmvn.mean"));
    assert_string_equal(attn_feature_norm_note(&c, true), "");
    c = parsed("feature_norm: utterance_mvn\n");
    assert_non_null(strstr(attn_feature_norm_note(&c, false), "utterance_mvn"));
    assert_non_null(strstr(attn_feature_norm_note(&c, true), "utterance_mvn"));
}

static void test_shipped(void **state) {
    (void)state;
    static const char *const patterns[] = {"configs/*.yaml", "configs/paper/*.yaml",
                                           "configs/attention/*.yaml", "configs/streaming/*.yaml",
                                           "configs/training/*.yaml"};
    static const size_t at_least[] = {4, 12, 5, 10, 2};
    for (size_t p = 0; p < 5; p++) {
        glob_t files;
        assert_int_equal(glob(patterns[p], 0, NULL, &files), 0);
        assert_true(files.gl_pathc >= at_least[p]);
        for (size_t i = 0; i < files.gl_pathc; i++) {
            attn_config c;
            attn_error error = {0};
            char note[256] = "x";
            if (attn_config_read(&c, files.gl_pathv[i], note, &error))
                fail_msg("%s", error.message);
            assert_string_equal(note, "");
        }
        globfree(&files);
    }
    attn_config c;
    attn_error error = {0};
    assert_int_equal(attn_config_read(&c, "configs/branchformer_mla.yaml", NULL, &error), 0);
    assert_int_equal(c.model_type, ATTN_MODEL_BRANCHFORMER);
    assert_int_equal(c.attention.latent_dim, 512);
    assert_int_equal(c.num_layers, 12);
}

static void test_notes(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"attention_type: linear\nattention_kwargs:\n  feature_dim: 64\n",
         "F: ignored: feature_dim on line 3 (the feature map elu+1 keeps d_k)"},
        {"merge_method: concat\n", "F: ignored: merge_method on line 1 (for branchformer only)"},
        {"merge_method: null\nattention_kwargs: {latent_dim: null, num_kv_heads: ~, feature_dim: }\n", ""},
        {"attention_kwargs:\n  num_kv_heads: 2\n", "F: ignored: num_kv_heads on line 2 (for gqa only)"},
        {"cgmlp_weight: 1\nmerge_method: concat\n", "F: ignored: merge_method on line 2 (for branchformer "
                                                    "only), cgmlp_weight on line 1 (for branchformer only)"},
        {"batch_size: 1\nnum_epochs: 1\nlearning_rate: 1\nweight_decay: 0\ndropout: 0\n", ""},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        attn_config c;
        char note[256];
        attn_error error = {0};
        if (attn_config_parse(&c, texts[i][0], strlen(texts[i][0]), "F", note, &error))
            fail_msg("%s", error.message);
        assert_string_equal(note, texts[i][1]);
    }
    /* Many of them, and a long name, are cut and do not overflow. */
    char name[300], note[256];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const char *text = "model_type: attention\nmerge_method: concat\nconv_kernel_size: 3\ncausal: true\n"
                       "conv_norm: layer_norm\nff_expansion_factor: 4\ncgmlp_weight: 1\nafter_norm: true\n";
    attn_config c;
    attn_error error = {0};
    assert_int_equal(attn_config_parse(&c, text, strlen(text), name, note, &error), 0);
    assert_int_equal(strlen(note), 255);
}

static void test_frames(void **state) {
    (void)state;
    attn_config c = {.input_layer = ATTN_INPUT_CONV2D};
    static const size_t frames[][2] = {{0, 0},  {1, 0},  {6, 0},  {7, 1},      {10, 1},
                                       {11, 2}, {14, 2}, {15, 3}, {1000, 249}, {16000, 3999}};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        assert_int_equal(attn_output_frames(&c, frames[i][0]), frames[i][1]);
    for (size_t out = 1; out < 50; out++) {
        size_t in = attn_input_frames(&c, out);
        assert_int_equal(attn_output_frames(&c, in), out);
        assert_int_equal(attn_output_frames(&c, in - 1), out - 1);
        assert_int_equal(attn_output_frames(&c, in + attn_frame_factor(c.input_layer)), out + 1);
    }
    c.input_layer = ATTN_INPUT_LINEAR;
    assert_int_equal(attn_output_frames(&c, 5), 5);
    assert_int_equal(attn_input_frames(&c, 5), 5);
}

static int read_and_format(void *context, attn_error *error) {
    attn_config c;
    if (attn_config_read(&c, context, NULL, error))
        return -1;
    char *text = attn_config_format(&c, error);
    attn_free(text);
    return text ? 0 : -1;
}

static void test_refused_memory(void **state) {
    (void)state;
    const char *path = scratch_file("memory.yaml", everything, sizeof everything - 1);
    assert_int_equal(refuse_each_allocation(read_and_format, (char *)path), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),       cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_latent_dims),    cmocka_unit_test(test_format),
        cmocka_unit_test(test_feature_notes),  cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_notes),          cmocka_unit_test(test_frames),
        cmocka_unit_test(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
