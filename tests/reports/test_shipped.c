/* The configurations under configs/: each one runs, and those of the paper have the caches that it published.
 * Starts early. */
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/model.h"
#include "tests/support/models/encoders.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FRAMES = 31 };

static attn_config read_config(const char *path) {
    attn_config config;
    attn_error error = {0};
    char note[256];
    if (attn_config_read(&config, path, note, &error))
        fail_msg("%s", error.message);
    assert_string_equal(note, "");
    return config;
}

/* One layer of it: all that differs between configurations, without gigabytes of weights. */
static void check_runs(const char *path, size_t chunk) {
    attn_config config = read_config(path);
    config.num_layers = 1;
    attn_model *model = make_model(&config, 1);
    float *x = random_floats(FRAMES * config.input_dim, 2);
    attn_session_options options = {.batch = 1, .chunk = chunk, .left_chunks = -1, .impl = "auto"};
    float *out = run(model, options, x, FRAMES, NULL), most = 0;
    for (size_t i = 0; i < attn_output_frames(&config, FRAMES) * width_of(model); i++) {
        if (!isfinite(out[i]))
            fail_msg("%s: output %zu is %g", path, i, (double)out[i]);
        most = fmaxf(most, fabsf(out[i]));
    }
    assert_true(most > 0);
    attn_free(out);
    attn_free(x);
    attn_model_free(model);
}

static void check_folder(const char *pattern, size_t count, size_t chunk) {
    glob_t files;
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    assert_int_equal(files.gl_pathc, count);
    for (size_t i = 0; i < files.gl_pathc; i++)
        check_runs(files.gl_pathv[i], chunk);
    globfree(&files);
}

static void test_all_run(void **state) {
    (void)state;
    check_folder("configs/*.yaml", 4, 0);
    check_folder("configs/attention/*.yaml", 5, 4);
    check_folder("configs/paper/*.yaml", 12, 0);
    check_folder("configs/streaming/*.yaml", 10, 2);
    check_folder("configs/training/*.yaml", 2, 0);
}

static void test_streaming_ones_stream(void **state) {
    (void)state;
    glob_t files;
    assert_int_equal(glob("configs/streaming/*.yaml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        attn_config config = read_config(files.gl_pathv[i]);
        assert_true(config.causal);
        assert_string_equal(attn_stream_note(&config),
                            ""); /* nothing of it differs between chunks and whole */
        assert_non_null(strstr(files.gl_pathv[i], attn_model_type_names[config.model_type]));
        assert_non_null(strstr(files.gl_pathv[i], config.variant->name));
    }
    globfree(&files);
}

/* MiB of all layers at 1000 frames: what the paper printed, or the state that linear attention really needs. */
static void test_paper_geometries(void **state) {
    (void)state;
    static const struct {
        const char *path;
        double mib;
    } published[] = {{"conformer_mha", 187.5},
                     {"conformer_mla_512", 93.75},
                     {"conformer_mla_256", 46.875},
                     {"conformer_mla_simple", 93.75},
                     {"conformer_gqa_2", 23.4375},
                     {"conformer_linear", 6.09375},
                     {"branchformer_mha", 70.3125},
                     {"branchformer_mla_512", 35.15625},
                     {"branchformer_mla_256", 17.578125},
                     {"branchformer_mla_simple", 35.15625},
                     {"branchformer_gqa_2", 17.578125},
                     {"branchformer_linear", 2.28515625}};
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        char path[64];
        snprintf(path, sizeof path, "configs/paper/%s.yaml", published[i].path);
        attn_config config = read_config(path);
        size_t frames = attn_output_frames(&config, 1000);
        size_t layer = config.variant->cache_bytes(&config.attention, 1, frames, ATTN_ELEMENT_F32);
        if ((double)(layer * config.num_layers) / 1048576 != published[i].mib)
            fail_msg("%s: %zu bytes a layer, %zu layers, expected %g MiB", path, layer, config.num_layers,
                     published[i].mib);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_run),
        cmocka_unit_test(test_streaming_ones_stream),
        cmocka_unit_test(test_paper_geometries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
