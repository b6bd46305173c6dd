/* Models and sessions: chunks, instruction sets, saved caches, memory. */
#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/safetensors.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/encoders.h"
#include "tests/support/scratch.h"

#include <string.h>
#include <unistd.h>

/* Every type, one layer and three, kept whole in chunks of 1, 5 and more than there is, with both
 * implementations. A stream sees no future, so only the last frame of the last chunk sees what the whole
 * does. */
static void test_last_frame_of_chunks(void **state) {
    (void)state;
    enum { FRAMES = 13, BATCH = 2, D = 16 };
    float *x = random_floats(BATCH * FRAMES * D, 3);
    for (size_t v = 0; attn_variants[v]; v++) {
        attn_config config = layer_config(attn_variants[v]->name, 1);
        attn_model *model = make_model(&config, 5);
        float *whole = run(model, (attn_session_options){.batch = BATCH, .left_chunks = -1, .impl = "scalar"},
                           x, FRAMES, NULL);
        for (size_t chunk = 1; chunk <= 14; chunk += 4) {
            float *out =
                run(model,
                    (attn_session_options){.batch = BATCH, .chunk = chunk, .left_chunks = -1, .impl = "blas"},
                    x, FRAMES, NULL);
            for (size_t b = 0; b < BATCH; b++)
                check_floats(out + (b * FRAMES + FRAMES - 1) * D, whole + (b * FRAMES + FRAMES - 1) * D, D,
                             1e-5);
            attn_free(out);
        }
        attn_free(whole);
        attn_model_free(model);
    }
    attn_free(x);
}

static attn_isa isa_of_chunk;

static void look_at_isa(void *context, size_t index, size_t frames) {
    (void)context, (void)index, (void)frames;
    isa_of_chunk = attn_cpu_isa();
}

/* A session that names an instruction set holds our kernels to it while it runs, and no longer. */
static void test_instruction_sets(void **state) {
    (void)state;
    enum { FRAMES = 5, D = 16 };
    float *x = random_floats(FRAMES * D, 8), out[FRAMES * D];
    attn_config config = layer_config("linear", 1);
    attn_model *model = make_model(&config, 8);
    attn_session *session;
    attn_error error = {0};
    attn_session_options options = {.batch = 1, .max_frames = FRAMES, .left_chunks = -1};
    float *expected = run(model, options, x, FRAMES, NULL);
    for (attn_isa isa = ATTN_ISA_BASE; isa <= attn_cpu_detected(); isa++) {
        options.impl = attn_isa_names[isa];
        assert_int_equal(attn_session_open(&session, model, &options, &error), 0);
        attn_session_run(session, out, x, FRAMES, NULL, look_at_isa, NULL);
        attn_session_close(session);
        assert_int_equal(isa_of_chunk, isa);
        assert_int_equal(attn_cpu_isa(), attn_cpu_detected());
        check_floats(out, expected, FRAMES * D, 1e-5);
    }
    attn_isa limit = attn_cpu_limit(ATTN_ISA_BASE);
    options.impl = "avx512";
    assert_int_equal(attn_session_open(&session, model, &options, &error), -1);
    assert_non_null(strstr(error.message, "impl: "));
    assert_non_null(strstr(error.message, "avx512"));
    attn_cpu_limit(limit);
    attn_free(expected);
    attn_free(x);
    attn_model_free(model);
}

/* A chunk that keeps M chunks sees exactly those frames: the same as a fresh run over them. */
static void test_left_chunks(void **state) {
    (void)state;
    enum { FRAMES = 12, CHUNK = 3, D = 16 };
    float *x = random_floats(FRAMES * D, 4);
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t kept = 0; kept <= (attn_variants[v]->forgets ? 2 : 0); kept++) {
            attn_config config = layer_config(attn_variants[v]->name, 1);
            attn_model *model = make_model(&config, 6);
            attn_session_options options = {
                .batch = 1, .chunk = CHUNK, .left_chunks = (long)kept, .impl = "blas"};
            float *out = run(model, options, x, FRAMES, NULL);
            size_t first = FRAMES - (kept + 1) * CHUNK, seen = FRAMES - first;
            float *fresh =
                run(model, (attn_session_options){.batch = 1, .impl = "scalar"}, x + first * D, seen, NULL);
            check_floats(out + (FRAMES - CHUNK) * D, fresh + (seen - CHUNK) * D, CHUNK * D, 1e-5);
            attn_free(out);
            attn_free(fresh);
            attn_model_free(model);
        }
    attn_free(x);
}

/* More left chunks than a size_t can count the frames of: all are kept. */
static void test_endless_left_chunks(void **state) {
    (void)state;
    enum { FRAMES = 12, CHUNK = 4, D = 16 };
    attn_config config = layer_config("mha", 1);
    attn_model *model = make_model(&config, 6);
    float *x = random_floats(FRAMES * D, 4);
    attn_session_options options = {.batch = 1, .chunk = CHUNK, .left_chunks = -1};
    float *all = run(model, options, x, FRAMES, NULL);
    options.left_chunks = 1L << 62;
    float *endless = run(model, options, x, FRAMES, NULL);
    assert_memory_equal(endless, all, FRAMES * D * sizeof *all);
    attn_free(all);
    attn_free(endless);
    attn_free(x);
    attn_model_free(model);
}

/* A packed model's positions are kept as far as the window of a chunk reaches, rounded up to a panel; a model that
 * is not packed keeps none. Where the memory is refused a session runs without, and gives the same. */
static void test_kept_positions(void **state) {
    (void)state;
    enum { FRAMES = 9, CHUNK = 2, LAYERS = 2, D = 16, KEPT = 16 /* 2 CHUNK + CHUNK - 1, rounded up */ };
    attn_config config = layer_config("mha", LAYERS);
    config.attention.pos_enc = ATTN_POS_REL;
    attn_model *model = make_model(&config, 5);
    float *x = random_floats(FRAMES * D, 3), out[FRAMES * D];
    attn_session_options options = {
        .batch = 1, .max_frames = FRAMES, .chunk = CHUNK, .left_chunks = 1, .impl = "scalar"};
    float *expected = run(model, options, x, FRAMES, NULL);
    options.impl = "fused";
    options.keep_positions = true;
    attn_session *session = open_session(model, options);
    assert_int_equal(attn_session_projected_bytes(session), 0);
    attn_session_close(session);
    assert_int_equal(attn_model_pack(model, NULL), 0);
    size_t table = attn_model_packed_bytes(model) ? LAYERS * KEPT * D * sizeof *x : 0, kept = 0;
    for (size_t allowed = 1, opened = 0; opened < (table ? 3 : 1); allowed++) {
        attn_alloc_fail_at(allowed);
        if (attn_session_open(&session, model, &options, NULL))
            continue;
        attn_alloc_fail_at(0);
        kept = attn_session_projected_bytes(session);
        assert_int_equal(kept, opened++ < 2 ? 0 : table); /* refused: sinusoids, the table, nothing */
        attn_session_run(session, out, x, FRAMES, NULL, NULL, NULL);
        check_floats(out, expected, FRAMES * D, 1e-5);
        attn_session_close(session);
    }
    assert_int_equal(kept, table);
    attn_free(expected);
    attn_free(x);
    attn_model_free(model);
}

static void test_linear_cannot_forget_some(void **state) {
    (void)state;
    attn_config config = layer_config("linear", 1);
    attn_model *model = make_model(&config, 1);
    attn_session_options options = {
        .batch = 1, .max_frames = 8, .chunk = 2, .left_chunks = 1, .impl = "auto"};
    attn_error error = {0};
    attn_session *session;
    assert_int_equal(attn_session_open(&session, model, &options, &error), -1);
    assert_non_null(strstr(error.message, "left_chunks"));
    attn_model_free(model);
}

/* A stream's file has the inputs of convolutions and what subsampling holds back next to the attention cache,
 * byte for byte what it says it holds, without the gates that follow from the inputs; a whole run's has the attention cache alone. */
static void test_saved_caches(void **state) {
    (void)state;
    enum { FRAMES = 51, DIM = 16, LAYERS = 2 };
    float *x = random_floats(FRAMES * DIM, 5);
    for (size_t streams = 0; streams < 2; streams++) {
        attn_config config = layer_config("mla", LAYERS);
        config.model_type = ATTN_MODEL_CONFORMER;
        config.causal = true;
        config.conv_kernel_size = 5;
        config.input_layer = ATTN_INPUT_CONV2D;
        attn_model *model = make_model(&config, 5);
        attn_session_options options = {
            .batch = 1, .max_frames = FRAMES, .chunk = streams ? 4 : 0, .left_chunks = -1};
        attn_session *session;
        attn_safetensors *file;
        attn_error error = {0};
        float out[FRAMES * DIM];
        size_t bytes = 0;
        const char *path = scratch_path("cache.safetensors");
        if (attn_session_open(&session, model, &options, &error))
            fail_msg("%s", error.message);
        attn_session_run(session, out, x, FRAMES, NULL, NULL, NULL);
        if (attn_session_save_cache(session, path, &error) || attn_safetensors_open(&file, path, &error))
            fail_msg("%s", error.message);
        for (size_t i = 0; i < attn_safetensors_count(file); i++)
            bytes += attn_safetensors_at(file, i)->size;
        size_t gates = streams ? LAYERS * 4 * DIM * sizeof *x : 0;
        assert_int_equal(bytes + gates,
                         attn_session_kv_bytes_live(session) + attn_session_conv_bytes_live(session));
        assert_int_equal(attn_safetensors_count(file), streams ? 2 * LAYERS + 1 : LAYERS);
        const attn_safetensor *conv = attn_safetensors_find(file, "layers.1.conv"),
                              *carry = attn_safetensors_find(file, "embed.carry");
        assert_true(!conv == !streams && !carry == !streams);
        if (streams) {
            size_t last = 4 * attn_output_frames(&config, FRAMES); /* input frames before what is held back */
            assert_true(conv->rank == 3 && conv->dims[1] == 4 && conv->dims[2] == DIM);
            assert_memory_equal(carry->data, x + last * DIM, 3 * DIM * sizeof *x);
        }
        attn_safetensors_close(file);
        attn_session_close(session);
        attn_model_free(model);
    }
    attn_free(x);
}

/* Everything that a run needs, from nothing; 0 when all of it worked. */
static int whole_life(const attn_config *config, const char *path, const char *cache_path,
                      attn_error *error) {
    attn_model *model = NULL;
    attn_session *session = NULL;
    attn_session_options options = {
        .batch = 2, .max_frames = 5, .chunk = 2, .left_chunks = -1, .impl = "auto"};
    options.logits = true;
    int result = -1;
    if (!attn_model_create(&model, config, error) && !attn_model_load(model, path, error) &&
        !attn_session_open(&session, model, &options, error) &&
        !attn_session_save_cache(session, cache_path, error))
        result = 0;
    attn_session_close(session);
    attn_model_free(model);
    return result;
}

static void check_allocation_failure(attn_model_type type) {
    attn_config config = layer_config("mha", 2);
    config.model_type = type;
    config.attention.pos_enc = ATTN_POS_REL;
    config.vocab_size = 3;
    config.causal = true;
    config.input_layer = type == ATTN_MODEL_ATTENTION ? ATTN_INPUT_NONE : ATTN_INPUT_CONV2D;
    attn_model *model = make_model(&config, 11);
    const char *path = scratch_path("model.safetensors"), *cache_path = scratch_path("cache");
    attn_error error = {0};
    assert_int_equal(attn_model_save(model, path, &error), 0);
    size_t before = attn_alloc_live(), nth = 0;
    int result;
    do {
        error = (attn_error){0};
        attn_alloc_fail_at(++nth);
        result = whole_life(&config, path, cache_path, &error);
        attn_alloc_fail_at(0);
        assert_int_equal(attn_alloc_live(), before);
        assert_true(result == 0 || strstr(error.message, "memory"));
        assert_true(result == 0 || access(cache_path, F_OK));
    } while (result);
    assert_true(nth > 30);
    unlink(cache_path);
    attn_model_free(model);
}

static void test_allocation_failure(void **state) {
    (void)state;
    check_allocation_failure(ATTN_MODEL_ATTENTION);
    check_allocation_failure(ATTN_MODEL_CONFORMER);
    check_allocation_failure(ATTN_MODEL_BRANCHFORMER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_frame_of_chunks), cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_left_chunks),          cmocka_unit_test(test_endless_left_chunks),
        cmocka_unit_test(test_kept_positions),       cmocka_unit_test(test_linear_cannot_forget_some),
        cmocka_unit_test(test_saved_caches),         cmocka_unit_test(test_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
