/* Training on tones: learns them; what it wrote recognises the same tones, can be converted and trained further.
 * Starts early. */
#include "attn/alloc.h"
#include "harness/model/speech/recognition.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/tone_runs.h"
#include "tests/support/scratch.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing is left to chance: it knows what it has seen, and nothing else. */
static void test_learns(void **state) {
    (void)state;
    training_request r = tone_run("learns", tone_model, 40);
    tone_run_train(&r);
    assert_true(tone_run_last(&r, "dev_wer_percent", 40) == 0);
    assert_true(tone_run_last(&r, "loss", 40) < 2);
    assert_true(tone_run_last(&r, "peak_bytes", 40) > 10000);
    tone_run_free(&r);
}

/* The same result from a model that is written, read again, and streamed in one chunk. */
static void test_evaluates_what_was_written(void **state) {
    (void)state;
    char path[512], note[256];
    attn_config config;
    attn_model *model;
    units u;
    speech s;
    recognition whole, chunked, beam;
    snprintf(path, sizeof path, "%s", scratch_path("learns/model.yaml"));
    assert_int_equal(attn_config_read(&config, path, note, NULL), 0);
    assert_int_equal(units_read(&u, scratch_path("learns/units.txt"), NULL), 0);
    assert_int_equal(config.vocab_size, u.count);
    assert_int_equal(attn_model_create(&model, &config, NULL), 0);
    assert_int_equal(attn_model_load(model, scratch_path("learns/model.safetensors"), NULL), 0);
    assert_int_equal(speech_read(&s, tone_folder, "dev", 80, NULL), 0);
    assert_int_equal(speech_label(&s, &u, NULL), 0);
    recognition_options options = {.left_chunks = -1};
    assert_int_equal(recognition_run(&whole, model, &s, &u, &options, NULL), 0);
    recognition listed; /* without features: made one by one */
    speech list;
    assert_int_equal(speech_list(&list, tone_folder, "dev", 80, NULL), 0);
    assert_int_equal(speech_label(&list, &u, NULL), 0);
    assert_int_equal(recognition_run(&listed, model, &list, &u, &options, NULL), 0);
    assert_true(listed.loss == whole.loss && listed.audio_seconds == whole.audio_seconds);
    recognition_free(&listed);
    speech_free(&list);
    options.chunk = 1000;
    assert_int_equal(recognition_run(&chunked, model, &s, &u, &options, NULL), 0);
    options.chunk = 0, options.beam = 4;
    assert_int_equal(recognition_run(&beam, model, &s, &u, &options, NULL), 0);
    assert_int_equal(word_errors_sum(&whole.words), 0);
    assert_int_equal(word_errors_sum(&beam.words), 0);
    assert_true(whole.loss > 0 && whole.loss - chunked.loss < 1e-3 && chunked.loss - whole.loss < 1e-3);
    assert_true(whole.kv_bytes_live > 0);
    json_t *json = recognition_json(&whole, &s, NULL);
    assert_true(json_number_value(json_object_get(json, "wer_percent")) == 0);
    assert_int_equal(json_array_size(json_object_get(json, "utterances")), s.count);
    const json_t *first = json_array_get(json_object_get(json, "utterances"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "ref")),
                        json_string_value(json_object_get(first, "hyp")));
    json_decref(json);
    recognition_free(&whole);
    recognition_free(&chunked);
    recognition_free(&beam);
    speech_free(&s);
    units_free(&u);
    attn_model_free(model);
    assert_int_equal(attn_alloc_live(), 0);
}

static double loss_of(const char *run) {
    char path[512];
    attn_config config;
    attn_model *model;
    units u;
    speech s;
    recognition result;
    recognition_options options = {.left_chunks = -1};
    snprintf(path, sizeof path, "%s/model.yaml", run);
    assert_int_equal(attn_config_read(&config, path, NULL, NULL), 0);
    snprintf(path, sizeof path, "%s/units.txt", run);
    assert_int_equal(units_read(&u, path, NULL), 0);
    snprintf(path, sizeof path, "%s/model.safetensors", run);
    assert_int_equal(attn_model_create(&model, &config, NULL), 0);
    assert_int_equal(attn_model_load(model, path, NULL), 0);
    assert_int_equal(speech_read(&s, tone_folder, "dev", 80, NULL), 0);
    assert_int_equal(speech_label(&s, &u, NULL), 0);
    assert_int_equal(recognition_run(&result, model, &s, &u, &options, NULL), 0);
    double loss = result.loss;
    recognition_free(&result);
    speech_free(&s);
    units_free(&u);
    attn_model_free(model);
    return loss;
}

static double convert(const char *run, const char *type, attn_convert_method method, size_t size,
                      size_t epochs) {
    training_request r = tone_run(run, tone_model, epochs);
    char *weights = strdup(scratch_path("learns/model.safetensors"));
    r.weights = weights;
    r.convert_to = attn_variant_find(type);
    r.method = method;
    r.latent_dim = r.convert_to->has_latent ? size : 0;
    r.num_kv_heads = r.convert_to->has_latent ? 0 : size;
    r.learning_rate = 0.002;
    tone_run_train(&r);
    if (epochs)
        tone_run_train(&r); /* taken up: nothing is left to do */
    double loss = loss_of(r.out);
    free(weights);
    tone_run_free(&r);
    return loss;
}

/* At full rank nothing changes; below it something does, and training goes on from there. */
static void test_conversions(void **state) {
    (void)state;
    double whole = loss_of(scratch_path("learns"));
    assert_true(fabs(convert("mla", "mla", ATTN_CONVERT_JOINT, 8, 0) - whole) <= 1e-3 * whole);
    assert_true(fabs(convert("simple", "mla_simple", ATTN_CONVERT_ACTIVATION, 8, 0) - whole) <= 1e-3 * whole);
    assert_true(fabs(convert("gqa", "gqa", ATTN_CONVERT_MEAN, 2, 0) - whole) <= 1e-3 * whole);
    double cut = convert("cut", "mla", ATTN_CONVERT_ACTIVATION, 1, 0);
    double tuned = convert("tuned", "mla", ATTN_CONVERT_ACTIVATION, 1, 8);
    print_message("loss %.3f; cut %.3f; tuned %.3f\n", whole, cut, tuned);
    assert_true(cut != whole && tuned != cut && tuned < 0.5);
}

/* Steps leave runs of their own, each from the one before; done once, nothing is done again. */
static void test_schedule(void **state) {
    (void)state;
    training_request r = tone_run("schedule", tone_model, 2);
    char *weights = strdup(scratch_path("learns/model.safetensors"));
    const size_t dims[] = {8, 4, 2};
    attn_error error = {0};
    r.weights = weights;
    r.convert_to = attn_variant_find("mla");
    r.method = ATTN_CONVERT_ACTIVATION;
    r.learning_rate = 0.002;
    for (int twice = 0; twice < 2; twice++)
        if (training_run_schedule(&r, dims, 3, &error))
            fail_msg("%s", error.message);
    attn_config config;
    const char *runs[] = {"schedule/steps/1-latent-8", "schedule/steps/2-latent-4", "schedule"};
    for (size_t i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/model.yaml", runs[i]);
        assert_int_equal(attn_config_read(&config, scratch_path(name), NULL, NULL), 0);
        assert_int_equal(config.attention.latent_dim, dims[i]);
        assert_true(loss_of(scratch_path(runs[i])) < 1);
    }
    tone_run_last(&r, "loss", 2);
    free(weights);
    tone_run_free(&r);
    assert_int_equal(attn_alloc_live(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_evaluates_what_was_written),
        cmocka_unit_test(test_conversions),
        cmocka_unit_test(test_schedule),
    };
    return cmocka_run_group_tests(tests, tone_runs_set_up, tone_runs_tear_down);
}
