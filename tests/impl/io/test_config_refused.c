/* Configurations that are refused: by what a file has, by its size, and when made in code. */
#include "tests/support/cmocka_all.h"

#include "attn/config.h"
#include "tests/support/scratch.h"

#include <string.h>

static const char *const bad_cases[][2] = {
    {"", "F:1: found nothing, expected a map of keys"},
    {"# only a comment\n", "found nothing"},
    {"---\n", "found no keys, expected a map"},
    {"512", "found no keys"},
    {"- a\n- b\n", "found no keys"},
    {"{}\n---\n{}\n", "F:2: found a second document, expected one"},
    {"d_model: 64\n\td_model: 1\n", "not valid YAML"},
    {"d_model: [64\n", "found a list, expected an integer"},
    {"d_model: {a: 1}\n", "F:1: d_model: found a map, expected an integer"},
    {"\n\nd_modle: 64\n", "F:3: d_modle: unknown key, expected one of model_type, attention_type, d_model,"},
    {"latent_dim: 64\n", "F:1: latent_dim: unknown key"},
    {"attention_kwargs:\n  d_model: 1\n",
     "F:2: attention_kwargs.d_model: unknown key, expected one of latent_dim, num_kv_heads, feature_dim"},
    {"<<: {d_model: 64}\n", "F:1: <<: unknown key"},
    {"\"d_model\\0\": 64\n", "unknown key"},
    {"? [a]\n: 1\n", "F:1: found a map or list as a key, expected a name"},
    {"d_model: 64\nnum_heads: 2\nd_model: 32\n",
     "F:3: d_model: found twice (first on line 1), expected once"},
    {"attention_kwargs: null\nattention_kwargs: null\n", "F:2: attention_kwargs: found twice"},
    {"d_model: &a 64\n", "F:1: found an anchor, expected plain keys and values"},
    {"d_model: *a\n", "F:1: found an alias"},
    {"a: &a {b: c}\n", "unknown key"},
    {"d_model: !!int 64\n", "F:1: found a tag"},
    {"d_model: sixty\n", "F:1: d_model: found sixty, expected an integer 1 to 65536"},
    {"d_model: \"64\"\n", "d_model: found \"64\", expected an integer"},
    {"d_model: 64.0\n", "d_model: found 64.0, expected an integer"},
    {"d_model: 0x40\n", "d_model: found 0x40"},
    {"d_model: 0100\n", "d_model: found 0100"},
    {"d_model: 1_000\n", "d_model: found 1_000"},
    {"d_model: null\n", "d_model: found null, expected an integer"},
    {"d_model:\n", "d_model: found nothing, expected an integer"},
    {"d_model: true\n", "d_model: found true"},
    {"d_model: 0\n", "d_model: found 0, expected an integer 1 to 65536"},
    {"d_model: -64\n", "d_model: found -64"},
    {"d_model: 4611686018427387904\n", "d_model: found 4611686018427387904"},
    {"d_model: 18446744073709551680\n", "d_model: found 18446744073709551680"},
    {"num_layers: 0\n", "num_layers: found 0"},
    {"num_layers: 1000000\n", "num_layers: found 1000000"},
    {"vocab_size: 0\n", "vocab_size: found 0, expected an integer 1 to 16777216 or null"},
    {"d_model: 64\nnum_heads: 7\n", "F:2: num_heads: "},
    {"d_model: 60\n", "F:1: num_heads: "},
    {"num_heads: 8\nattention_type: gqa\nattention_kwargs:\n  num_kv_heads: 3\n", "F:4: num_kv_heads: "},
    {"attention_type: gqa\nattention_kwargs:\n  num_kv_heads: 0\n",
     "F:3: attention_kwargs.num_kv_heads: found 0"},
    {"attention_type: mla\nattention_kwargs: 512\n",
     "F:2: attention_kwargs: found 512, expected a map or null"},
    {"attention_type: mla\nattention_kwargs: {latent_dim: -1}\n", "attention_kwargs.latent_dim: found -1"},
    {"attention_type: mla\nattention_kwargs: {latent_dim: [1]}\n",
     "F:2: latent_dim: found a list of 1, expected one for each of num_layers 12"},
    {"attention_type: mla\nnum_layers: 2\nattention_kwargs: {latent_dim: []}\n",
     "F:3: attention_kwargs.latent_dim: found an empty list"},
    {"attention_type: mla\nnum_layers: 2\nattention_kwargs: {latent_dim: [4, null]}\n",
     "F:3: attention_kwargs.latent_dim: found a list with null in it"},
    {"attention_type: mla\nnum_layers: 2\nattention_kwargs: {latent_dim: [4, 0]}\n",
     "F:3: attention_kwargs.latent_dim: found 0"},
    {"attention_type: mla\nnum_layers: 2\nattention_kwargs: {latent_dim: [4, [5]]}\n",
     "F:3: attention_kwargs.latent_dim: found a list of lists or maps"},
    {"attention_kwargs: {num_kv_heads: [1]}\nattention_type: gqa\n",
     "F:1: attention_kwargs.num_kv_heads: found a list"},
    {"attention_type: flash\n",
     "attention_type: found flash, expected one of mha, mla, mla_simple, gqa, linear"},
    {"attention_type: 3\n", "attention_type: found 3"},
    {"model_type: transformer\n",
     "model_type: found transformer, expected one of attention, conformer, branchformer"},
    {"attention_type: linear\npos_enc: rel_pos\n", "F:2: pos_enc: "},
    {"pos_enc: sinusoid\n", "pos_enc: found sinusoid, expected one of none, abs_pos, rel_pos, rel_pos_wenet"},
    {"conv_kernel_size: 30\n", "F:1: conv_kernel_size: found 30, expected an odd size unless causal"},
    {"model_type: branchformer\nd_model: 9\nnum_heads: 3\nmlp_expansion_factor: 1\n",
     "F:4: cgmlp_linear_units: found 9, expected an even"},
    {"model_type: branchformer\nnum_heads: 3\nmlp_expansion_factor: 1\nd_model: 9\n",
     "F:3: cgmlp_linear_units: found 9, expected an even"},
    {"model_type: branchformer\ncgmlp_linear_units: 7\n",
     "F:2: cgmlp_linear_units: found 7, expected an even"},
    {"model_type: branchformer\ncgmlp_linear_units: 8\nmlp_expansion_factor: 4\n",
     "F:3: mlp_expansion_factor: "},
    {"ff_expansion_factor: 2.001\n", "F:1: ff_expansion_factor: found 2.001"},
    {"ff_expansion_factor: 0\n", "ff_expansion_factor: found 0, expected a number"},
    {"ff_expansion_factor: .nan\n", "ff_expansion_factor: found .nan, expected a number"},
    {"ff_expansion_factor: .inf\n", "ff_expansion_factor: found .inf"},
    {"ff_expansion_factor: 1e999\n", "ff_expansion_factor: found 1e999"},
    {"dropout: 0x1p-1\n", "dropout: found 0x1p-1, expected a number 0 to 1"},
    {"dropout: 1.5\n", "dropout: found 1.5"},
    {"dropout: 1e\n", "dropout: found 1e,"},
    {"dropout: .\n", "dropout: found .,"},
    {"layer_norm_eps: 0\n", "layer_norm_eps: found 0"},
    {"causal: yes\n", "causal: found yes, expected true or false"},
    {"causal: 1\n", "causal: found 1"},
    {"causal: \"true\"\n", "causal: found \"true\""},
    {"input_layer: none\ninput_dim: 80\n",
     "F:2: input_dim: found 80, expected d_model 512 because input_layer is none"},
    {"input_dim: 6\n", "F:1: input_dim: found 6, expected at least 7 because input_layer is conv2d"},
    {"kv_dtype: f8\n", "kv_dtype: found f8, expected one of f32, f16, bf16, q8_0"},
    {"attention_type: linear\nkv_dtype: bf16\n",
     "F:2: kv_dtype: found bf16, expected f32, as linear attention keeps its state in it"},
    {"merge_method: sum\n",
     "merge_method: found sum, expected one of concat, learned_ave, fixed_ave or null"},
    {"learning_rate: fast\n", "learning_rate: found fast"},
    {"d_model: 64 \xff\n", "F: byte 12: "},
    {"d_model: \x01\n", "F: byte 9: "},
    {"%YAML 3.0\n---\n{}\n", "not valid YAML"},
    {"d_model: 64\nnum_heads 8\n", "not valid YAML"},
};

static void test_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        attn_config c;
        attn_error error = {0};
        const char *text = bad_cases[i][0];
        if (!attn_config_parse(&c, text, strlen(text), "F", NULL, &error))
            fail_msg("accepted:\n%s", text);
        if (strncmp(error.message, "F:", 2) || !strstr(error.message, bad_cases[i][1]))
            fail_msg("'%s' does not say '%s'", error.message, bad_cases[i][1]);
    }
}

/* Deep or long input is refused at once, and does not take time or stack. */
static void test_hostile(void **state) {
    (void)state;
    enum { SIZE = 1 << 20 };
    static char text[SIZE];
    static const char fills[] = "[{?-&!\"'\n ";
    for (const char *fill = fills; *fill; fill++) {
        attn_config c;
        attn_error error = {0};
        memset(text, *fill, SIZE);
        assert_int_equal(attn_config_parse(&c, text, SIZE, "F", NULL, &error), -1);
        assert_true(error.message[0] != '\0');
    }
    attn_config c;
    attn_error error = {0};
    const char *path = scratch_file("long.yaml", text, SIZE);
    assert_int_equal(attn_config_read(&c, path, NULL, &error), -1);
    error = (attn_error){0};
    static char longer[SIZE + 1];
    assert_int_equal(attn_config_read(&c, scratch_file("long.yaml", longer, SIZE + 1), NULL, &error), -1);
    assert_non_null(strstr(error.message, "1048577 bytes, expected at most 1048576"));
}

/* Configurations made in code are held to the same rules. */
static void test_check(void **state) {
    (void)state;
    static const attn_config conformer = {.model_type = ATTN_MODEL_CONFORMER,
                                          .attention = {.d_model = 64, .num_heads = 4},
                                          .num_layers = 1,
                                          .input_dim = 64,
                                          .conv_kernel_size = 3,
                                          .ff_units = 100,
                                          .layer_norm_eps = 1e-5};
    attn_config good = conformer;
    attn_error error = {0};
    good.variant = attn_variant_find("mha");
    if (attn_config_check(&good, "made", &error))
        fail_msg("%s", error.message);
    for (int i = 0; i < 8; i++) {
        attn_config bad = good;
        static const char *const keys[] = {"d_model",      "num_heads",          "num_layers",
                                           "input_dim",    "conv_kernel_size",   "latent_dim",
                                           "merge_method", "ff_expansion_factor"};
        switch (i) {
        case 0:
            bad.attention.d_model = (size_t)1 << 62;
            break;
        case 1:
            bad.attention.num_heads = 5;
            break;
        case 2:
            bad.num_layers = 0;
            break;
        case 3:
            bad.input_dim = 63;
            break;
        case 4:
            bad.conv_kernel_size = 4;
            break;
        case 5:
            bad.variant = attn_variant_find("mla");
            break;
        case 6:
            bad.merge_method = (attn_merge)3;
            break;
        case 7:
            bad.ff_units = 0;
            break;
        }
        error = (attn_error){0};
        assert_int_equal(attn_config_check(&bad, "made", &error), -1);
        if (strncmp(error.message, "made: ", 6) || !strstr(error.message, keys[i]))
            fail_msg("'%s' does not name %s", error.message, keys[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bad), cmocka_unit_test(test_hostile),
                                       cmocka_unit_test(test_check)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
