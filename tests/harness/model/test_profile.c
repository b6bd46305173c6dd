/* profile-kv's numbers: caches by the paper's formula, sums that are sums, on speech and on random features. */
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/file.h"
#include "cli/frame/command.h"
#include "datasets/audio.h"
#include "datasets/fbank.h"
#include "harness/model/profile.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

static const char *make_config(const char *type, size_t input_dim) {
    char name[64], text[256];
    snprintf(name, sizeof name, "%s-%zu.yaml", type, input_dim);
    snprintf(text, sizeof text,
             "model_type: attention\nattention_type: %s\nd_model: 16\nnum_heads: 4\nnum_layers: 2\n"
             "input_layer: linear\ninput_dim: %zu\n",
             type, input_dim);
    return scratch_file(name, text, strlen(text));
}

/* Bytes of two layers, from the design's table: d_model 16, 4 heads of 4, 1 key/value head, latent 16. */
static const struct {
    const char *type;
    size_t per_frame, constant;
} caches[] = {
    {"mha", 2 * 2 * 16 * 4, 0},    {"gqa", 2 * 2 * 4 * 4, 0},           {"mla", 2 * 16 * 4, 0},
    {"mla_simple", 2 * 16 * 4, 0}, {"linear", 0, 2 * 4 * (16 + 4) * 4},
};
enum { TYPES = sizeof caches / sizeof *caches };

static profile_plan random_plan(size_t frames, size_t chunk, long left_chunks) {
    return (profile_plan){.count = 1,
                          .seq_len = frames,
                          .seed = 3,
                          .runs = 2,
                          .model = {.chunk = chunk, .left_chunks = left_chunks, .impl = "auto"}};
}

static json_t *profile(const char *config, const profile_plan *plan) {
    json_t *result;
    attn_error error = {0};
    size_t live = attn_alloc_live();
    int status = profile_model(&result, config, plan, &error);
    if (status != STATUS_OK)
        fail_msg("status %d: %s", status, error.message);
    assert_true(attn_alloc_live() == live);
    return result;
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("%s is not a number", key);
    return json_number_value(value);
}

static void check_near(double a, double b) {
    assert_true(fabs(a - b) <= 1e-12 * fabs(b));
}

/* CPU time is of the same runs, and what is lost is what it lacks. */
static void check_lost(const json_t *u) {
    const json_t *passed = json_object_get(u, "seconds_samples"),
                 *ran = json_object_get(u, "cpu_seconds_samples");
    double all = 0, own = 0;
    assert_int_equal(json_array_size(ran), json_array_size(passed));
    for (size_t i = 0; i < json_array_size(ran); i++) {
        all += json_number_value(json_array_get(passed, i));
        own += json_number_value(json_array_get(ran, i));
    }
    assert_true(own > 0 && number(u, "cpu_seconds") > 0);
    assert_true(fabs(number(u, "lost_percent") - 100 * fmax(0, 1 - own / all)) <= 1e-9);
    assert_true(number(u, "disturbed") >= 0 && number(u, "disturbed") <= 2);
}

static void check_times(const json_t *u) {
    check_lost(u);
    const json_t *samples = json_object_get(u, "seconds_samples");
    assert_int_equal(json_array_size(samples), 2);
    double first = json_number_value(json_array_get(samples, 0));
    double second = json_number_value(json_array_get(samples, 1));
    assert_true(first > 0 && second > 0);
    check_near(number(u, "seconds"), (first + second) / 2); /* the median of two */
    assert_true(number(u, "first_chunk_seconds") > 0);
    check_near(number(u, "rtf"), number(u, "seconds") / number(u, "audio_seconds"));
}

static void test_random(void **state) {
    (void)state;
    static const struct {
        size_t chunk;
        long left_chunks;
        size_t held;
    } ways[] = {{0, -1, 50}, {8, -1, 50}, {8, 2, 24}};
    for (size_t i = 0; i < TYPES; i++)
        for (size_t w = 0; w < 3; w++) {
            if (!caches[i].per_frame && ways[w].left_chunks >= 0)
                continue; /* a state cannot forget */
            profile_plan plan = random_plan(50, ways[w].chunk, ways[w].left_chunks);
            json_t *result = profile(make_config(caches[i].type, 5), &plan);
            const json_t *u = json_array_get(json_object_get(result, "utterances"), 0);
            double bytes = (double)(caches[i].per_frame * ways[w].held + caches[i].constant);
            assert_int_equal(json_array_size(json_object_get(result, "utterances")), 1);
            assert_true(number(u, "frames") == 50);
            assert_true(number(u, "audio_seconds") == 0.5);
            assert_true(number(u, "kv_bytes_formula") == bytes);
            assert_true(number(u, "kv_bytes_live") == bytes);
            assert_true(json_is_true(json_object_get(result, "formula_equals_live")));
            assert_true(json_is_null(json_object_get(result, "sd_rtf")));
            check_times(u);
            json_decref(result);
        }
}

static char *make_speech(const char *name, size_t samples) {
    const char *path = scratch_path(name);
    SF_INFO info = {.samplerate = AUDIO_RATE, .channels = 1, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    for (size_t i = 0; i < samples; i++) {
        float sample = 0.5f * sinf((float)(i * i) * 1e-5f);
        assert_int_equal(sf_writef_float(file, &sample, 1), 1);
    }
    assert_int_equal(sf_close(file), 0);
    return attn_strdup(path, NULL);
}

static void check_sums(const json_t *result) {
    static const char *const keys[][2] = {{"frames", "total_frames"},
                                          {"output_frames", "total_output_frames"},
                                          {"audio_seconds", "total_audio_seconds"},
                                          {"kv_bytes_formula", "kv_bytes_formula"},
                                          {"kv_bytes_live", "kv_bytes_live"},
                                          {"conv_bytes_formula", "conv_bytes_formula"},
                                          {"conv_bytes_live", "conv_bytes_live"},
                                          {"flops", "flops"},
                                          {"seconds", "seconds"},
                                          {"cpu_seconds", "cpu_seconds"},
                                          {"disturbed", "disturbed"},
                                          {"feature_seconds", "feature_seconds"}};
    const json_t *list = json_object_get(result, "utterances");
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        double sum = 0;
        for (size_t i = 0; i < json_array_size(list); i++)
            sum += number(json_array_get(list, i), keys[k][0]);
        check_near(number(result, keys[k][1]), sum);
    }
    check_near(number(result, "rtf"), number(result, "seconds") / number(result, "total_audio_seconds"));
}

static void test_speech(void **state) {
    (void)state;
    corpus_utterance utterances[] = {{.id = "1-2-0000", .path = make_speech("a.flac", 8000)},
                                     {.id = "1-2-0001", .path = make_speech("b.flac", 12345)},
                                     {.id = "1-2-0002", .path = make_speech("c.flac", 4000)}};
    corpus speech = {.utterances = utterances, .count = 3};
    for (size_t i = 0; i < TYPES; i++) {
        profile_plan plan = random_plan(0, 4, -1);
        plan.speech = &speech;
        plan.count = 2; /* not the third */
        plan.data = "D";
        plan.split = "S";
        json_t *result = profile(make_config(caches[i].type, FBANK_BINS), &plan);
        const json_t *list = json_object_get(result, "utterances"), *second = json_array_get(list, 1);
        assert_int_equal(json_array_size(list), 2);
        assert_string_equal(json_string_value(json_object_get(second, "id")), "1-2-0001");
        size_t frames = fbank_frames(12345);
        assert_true(number(second, "frames") == (double)frames);
        check_near(number(second, "audio_seconds"), 12345.0 / 16000);
        assert_true(number(second, "kv_bytes_live") ==
                    (double)(caches[i].per_frame * frames + caches[i].constant));
        check_times(second);
        check_sums(result);
        assert_true(number(result, "peak_memory_bytes") > number(result, "largest_kv_bytes_live"));
        assert_true(number(json_object_get(result, "check"), "max_error") <= 1e-4);
        json_decref(result);
    }
    for (size_t i = 0; i < 3; i++)
        attn_free(utterances[i].path);
}

/* An encoder in chunks: 2 layers, d_model 16, kernel 5, conv2d over 80 features. */
static const char *make_encoder(const char *name, bool causal) {
    char text[256];
    snprintf(text, sizeof text,
             "model_type: conformer\nattention_type: mha\nd_model: 16\nnum_heads: 4\nnum_layers: 2\n"
             "conv_kernel_size: 5\ncausal: %s\n",
             causal ? "true" : "false");
    return scratch_file(name, text, strlen(text));
}

static void check_parts(const json_t *result, double runs) {
    const json_t *parts = json_object_get(result, "parts");
    double seconds = 0, share = 0;
    for (size_t i = 0; attn_part_names[i]; i++) {
        const json_t *part = json_object_get(parts, attn_part_names[i]);
        assert_true(number(part, "seconds") > 0);
        assert_true(fabs(number(part, "share") - number(part, "mean_share")) < 1e-9); /* of one utterance */
        assert_true(json_is_null(json_object_get(part, "sd_share")));
        seconds += number(part, "seconds");
        share += number(part, "share");
    }
    assert_true(fabs(share - 1) < 1e-9);
    const json_t *samples =
        json_object_get(json_array_get(json_object_get(result, "utterances"), 0), "seconds_samples");
    double all = 0;
    for (size_t i = 0; i < json_array_size(samples); i++)
        all += json_number_value(json_array_get(samples, i));
    assert_true(fabs(seconds - all / runs) < 1e-9); /* nothing of the time is in no part */
}

static void check_chunks(const json_t *chunks, size_t count, size_t frames) {
    assert_true(number(chunks, "count") == (double)count);
    assert_true(number(chunks, "frames") == (double)frames);
    check_near(number(chunks, "audio_seconds"), 0.04 * (double)frames);
    static const char *const names[] = {"p50", "p95", "p99"};
    double before = 0;
    for (size_t i = 0; i < 3; i++) {
        double seconds = number(json_object_get(chunks, "seconds"), names[i]);
        assert_true(seconds > 0 && seconds >= before);
        check_near(number(json_object_get(chunks, "rtf"), names[i]), seconds / (0.04 * (double)frames));
        before = seconds;
    }
}

static void test_encoder(void **state) {
    (void)state;
    profile_plan plan = random_plan(100, 5, 2); /* 24 frames after the input layer: 4 full chunks */
    json_t *result = profile(make_encoder("causal.yaml", true), &plan);
    assert_true(number(result, "kv_bytes_live") ==
                2 * 2 * 15 * 16 * 4); /* layers, k and v, 3 chunks, width */
    assert_true(number(result, "conv_bytes_live") ==
                (2 * 2 * 4 * 16 + 3 * 80) * 4); /* layers, inputs and gates, and 3 frames of features */
    assert_true(number(result, "conv_bytes_formula") == number(result, "conv_bytes_live"));
    assert_true(number(result, "largest_conv_bytes_live") == number(result, "conv_bytes_live"));
    assert_true(json_is_true(json_object_get(result, "conv_formula_equals_live")));
    assert_true(number(result, "flops") > 2.0 * 24 * 2 * 8 * 16 * 64 / 2);
    assert_true(number(result, "flops_per_audio_second") == number(result, "flops"));
    assert_true(number(result, "mean_first_chunk_seconds") <= number(result, "seconds"));
    check_parts(result, 2);
    check_chunks(json_object_get(result, "chunks"), 4 * 2, 5);
    json_decref(result);
    result = profile(make_encoder("whole.yaml", false), &plan); /* keeps nothing for its convolutions */
    assert_true(number(result, "conv_bytes_live") == 3 * 80 * 4);
    json_decref(result);
    plan.model.chunk = 30; /* longer than the utterance */
    result = profile(make_encoder("causal.yaml", true), &plan);
    assert_true(json_is_null(json_object_get(result, "chunks")));
    json_decref(result);
    plan.model.chunk = 0;
    result = profile(make_encoder("causal.yaml", true), &plan);
    assert_true(number(result, "conv_bytes_live") == 0 && number(result, "conv_bytes_formula") == 0);
    assert_true(json_is_null(json_object_get(result, "chunks")));
    json_decref(result);
}

/* Formulas that are off, see tests.mk. */
static size_t kv_off, conv_off;

size_t __real_attn_session_kv_bytes_formula(const attn_session *session);
size_t __wrap_attn_session_kv_bytes_formula(const attn_session *session);
size_t __wrap_attn_session_kv_bytes_formula(const attn_session *session) {
    return __real_attn_session_kv_bytes_formula(session) + kv_off;
}

size_t __real_attn_session_conv_bytes_formula(const attn_session *session);
size_t __wrap_attn_session_conv_bytes_formula(const attn_session *session);
size_t __wrap_attn_session_conv_bytes_formula(const attn_session *session) {
    return __real_attn_session_conv_bytes_formula(session) + conv_off;
}

static void test_cache_unlike_its_formula(void **state) {
    (void)state;
    const char *config = make_encoder("causal.yaml", true);
    profile_plan plan = random_plan(100, 5, 2);
    for (int i = 0; i < 2; i++) {
        json_t *result;
        attn_error error = {0};
        *(i ? &conv_off : &kv_off) = 4;
        assert_int_equal(profile_model(&result, config, &plan, &error), STATUS_FAILED);
        kv_off = conv_off = 0;
        assert_int_equal(json_is_false(json_object_get(result, "formula_equals_live")), !i);
        assert_int_equal(json_is_false(json_object_get(result, "conv_formula_equals_live")), i);
        json_decref(result);
    }
}

static void test_refusals(void **state) {
    (void)state;
    corpus_utterance short_one = {.id = "1-2-0000", .path = make_speech("short.flac", 399)};
    corpus speech = {.utterances = &short_one, .count = 1};
    profile_plan plan = random_plan(10, 0, -1);
    attn_error error = {0};
    json_t *result;
    plan.speech = &speech;
    assert_int_equal(profile_check(make_config("mha", 5), &plan, &error), -1);
    assert_non_null(strstr(error.message, "input_dim is 5, but speech gives 80 features"));
    error = (attn_error){0};
    assert_int_equal(profile_model(&result, make_config("mha", FBANK_BINS), &plan, &error), STATUS_BAD_INPUT);
    assert_null(result);
    assert_non_null(strstr(error.message, "399 samples, shorter than one frame"));
    attn_free(short_one.path);
}

typedef struct profile_call {
    const char *config;
    profile_plan plan;
} profile_call;

static int profile_once(void *context, attn_error *error) {
    const profile_call *call = context;
    json_t *result;
    int status = profile_model(&result, call->config, &call->plan, error);
    json_decref(result);
    return status;
}

static void test_allocation(void **state) {
    (void)state;
    profile_call call = {make_config("mla", 5), random_plan(20, 8, -1)};
    call.plan.model.impl = "scalar"; /* which packs nothing */
    assert_true(refuse_each_allocation(profile_once, &call) >= 20);
}

static double packed_bytes(const profile_call *call) {
    json_t *result = profile(call->config, &call->plan);
    double bytes = number(json_object_get(result, "model"), "packed_bytes");
    json_decref(result);
    return bytes;
}

/* The first refusal after which all the same there is a result is that of packed weights. */
static void test_without_packing(void **state) {
    (void)state;
    profile_call call = {make_config("mla", 5), random_plan(20, 8, -1)};
    size_t before = refuse_each_allocation(profile_once, &call);
    attn_alloc_fail_at(before + 1);
    assert_true(packed_bytes(&call) == 0.0);
    attn_alloc_fail_at(0);
    assert_true((packed_bytes(&call) > 0.0) == (attn_cpu_isa() != ATTN_ISA_BASE));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),          cmocka_unit_test(test_speech),
        cmocka_unit_test(test_encoder),         cmocka_unit_test(test_cache_unlike_its_formula),
        cmocka_unit_test(test_refusals),        cmocka_unit_test(test_allocation),
        cmocka_unit_test(test_without_packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
