/* Encoders on several threads: what one thread gives up to rounding, and the same bits each time. ThreadSanitizer
 * runs this program too (make tsan). */
#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/model.h"
#include "attn/threads.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/encoders.h"
#include "tests/support/threads.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
enum { MOST_THREADS = 2 }; /* races show without a comparison, in 30 times the time */
static const bool compares = false;
#else
enum { MOST_THREADS = TEST_THREADS };
static const bool compares = true;
#endif
enum { BATCH = 2, FRAMES = 140, CHUNK = 20, CONV2D_FRAMES = 203 };

static attn_model *model_of(const char *about) {
    char text[400];
    attn_config config;
    attn_error error = {0};
    attn_model *model;
    int length = snprintf(text, sizeof text,
                          "d_model: 32\nnum_heads: 4\nnum_layers: 1\nconv_kernel_size: 7\n%s", about);
    if (attn_config_parse(&config, text, (size_t)length, "model", NULL, &error) ||
        attn_model_create(&model, &config, &error))
        fail_msg("%s: %s", about, error.message);
    attn_model_randomize(model, 5);
    return model;
}

/* Weights are packed after the run on one thread, and positions are kept then: that gives the same. */
static void compare(const char *about, attn_session_options options) {
    attn_model *model = model_of(about);
    const attn_config *config = attn_model_config(model);
    size_t frames = config->input_layer == ATTN_INPUT_CONV2D ? CONV2D_FRAMES : FRAMES;
    size_t count = BATCH * attn_output_frames(config, frames) * width_of(model),
           lengths[] = {frames, frames / 2};
    float *x = random_floats(BATCH * frames * config->input_dim, 3);
    options.batch = BATCH;
    float *one = compares ? run(model, options, x, frames, lengths) : NULL;
    assert_int_equal(attn_model_pack(model, NULL), 0);
    options.keep_positions = true;
    for (size_t n = 2; n <= MOST_THREADS; n++) {
        options.threads = test_threads[n];
        float *some = run(model, options, x, frames, lengths),
              *again = run(model, options, x, frames, lengths);
        attn_difference d = attn_compare(some, compares ? one : some, count, 2e-5, 2e-5);
        if (!d.ok)
            fail_msg("%s, chunk %zu, %zu threads: off by %g", about, options.chunk, n, d.max_abs);
        if (compares)
            assert_memory_equal(some, again, count * sizeof *some);
        attn_free(some);
        attn_free(again);
    }
    attn_free(one);
    attn_free(x);
    attn_model_free(model);
}

/* Whole, and in chunks of so few frames that keys are split too. */
static void compare_both(const char *model, const char *type, const char *more) {
    char about[300];
    snprintf(about, sizeof about, "model_type: %s\nattention_type: %s\n%s", model, type, more);
    compare(about, (attn_session_options){.left_chunks = -1});
    strcat(about, "causal: true\n");
    compare(about, (attn_session_options){.chunk = CHUNK, .left_chunks = -1});
}

static void all_types_of_attention(void **state) {
    (void)state;
    static const char *const positions[] = {"rel_pos", "none", "rel_pos_wenet"};
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t p = 0; p < (compares ? 3 : 2); p++) {
            char more[200];
            if (!attn_variants[v]->is_softmax && p != 1)
                continue;
            snprintf(more, sizeof more,
                     "attention_kwargs: %s\ninput_layer: none\ninput_dim: 32\npos_enc: %s\n",
                     attn_variants[v]->has_latent     ? "{latent_dim: 16}"
                     : attn_variants[v]->has_kv_heads ? "{num_kv_heads: 2}"
                                                      : "null",
                     positions[p]);
            compare_both(v % 2 ? "branchformer" : "conformer", attn_variants[v]->name, more);
        }
}

static void both_paths(void **state) {
    (void)state;
    static const char about[] =
        "model_type: attention\nattention_type: mla\nattention_kwargs: {latent_dim: 16}\n"
        "input_layer: none\ninput_dim: 32\npos_enc: rel_pos\n";
    compare(about, (attn_session_options){.left_chunks = -1, .path = ATTN_PATH_EXPAND});
    compare(about, (attn_session_options){.left_chunks = -1, .path = ATTN_PATH_ABSORB});
}

static void other_parts(void **state) {
    (void)state;
    compare_both("conformer", "mha", "input_layer: conv2d\npos_enc: abs_pos\nconv_norm: layer_norm\n");
    compare_both("branchformer", "mha", "input_layer: linear\nmerge_method: learned_ave\n");
    compare_both("branchformer", "mha", "input_layer: linear\nmerge_method: fixed_ave\n");
}

static void only_fused_shares(void **state) {
    (void)state;
    attn_model *model =
        model_of("model_type: attention\nattention_type: mha\ninput_layer: none\ninput_dim: 32\n");
    static const char *const names[] = {"scalar", "blas"};
    for (size_t i = 0; i < 2; i++) {
        attn_error error = {0};
        attn_session *session;
        attn_session_options options = {
            .batch = 1, .max_frames = 3, .impl = names[i], .threads = test_threads[2]};
        assert_int_equal(attn_session_open(&session, model, &options, &error), -1);
        assert_int_equal(error.code, ATTN_ERROR_UNSUPPORTED);
        assert_non_null(strstr(error.message, "runs on one thread, 2 were asked for"));
    }
    attn_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_types_of_attention),
        cmocka_unit_test(both_paths),
        cmocka_unit_test(other_parts),
        cmocka_unit_test(only_fused_shares),
    };
    return cmocka_run_group_tests(tests, test_threads_open, test_threads_close);
}
