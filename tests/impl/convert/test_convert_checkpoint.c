/* Converted checkpoints: other tensors bit for bit, what cannot be converted, and memory that is refused. */
#include "attn/alloc.h"
#include "attn/convert.h"
#include "attn/safetensors.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/conversions.h"
#include "tests/support/models/encoders.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <string.h>

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
    attn_config config = mha_config(ATTN_MODEL_CONFORMER, ATTN_POS_REL, 2), other = config;
    float x[FRAMES * BINS] = {0}, huge[FRAMES * BINS];
    attn_convert_options joint = options_for("mla", ATTN_CONVERT_JOINT, 4, NULL, 0), options = joint;
    other.variant = attn_variant_find("gqa");
    other.attention.num_kv_heads = 2;
    expect_failure(&other, &joint, "attention_type: found gqa, expected mha");
    other = mha_config(ATTN_MODEL_BRANCHFORMER, ATTN_POS_REL, 2);
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
    attn_config config = mha_config(ATTN_MODEL_CONFORMER, ATTN_POS_REL, 2);
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
        cmocka_unit_test(other_tensors_keep_name_type_and_bits),
        cmocka_unit_test(what_cannot_be_converted_is_named),
        cmocka_unit_test(refused_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
