/* attnbench train and evaluate as programs, on tones: streams with caches of each type, and the mark of synthetic
 * speech. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/json.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/tones.h"
#include "tests/support/scratch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

static const char model_text[] =
    "model_type: conformer\nattention_type: mla_simple\nattention_kwargs: {latent_dim: 32}\nd_model: 32\n"
    "num_heads: 2\nnum_layers: 1\nconv_kernel_size: 3\ncausal: true\nff_expansion_factor: 1\nlearning_rate: "
    "0.01\n"
    "dropout: 0\ntrain: {batch_frames: 600, warmup_steps: 5}\n";

/* What the program prints on stdout, run in the scratch folder; attn_free it. */
static char *output_of(const char *arguments) {
    char command[1200];
    const char *program = getenv("ATTNBENCH");
    char *whole = realpath(program ? program : "build/attnbench", NULL);
    assert_non_null(whole);
    snprintf(command, sizeof command, "cd '%s' && '%s' %s >out.txt 2>err.txt", folder, whole, arguments);
    free(whole);
    if (system(command))
        fail_msg("%s failed", command);
    return attn_read_file(scratch_path("speech/out.txt"), 1 << 20, NULL, NULL);
}

/* No --format: a file gets JSON. */
static json_t *evaluate(const char *options) {
    char arguments[600];
    snprintf(
        arguments, sizeof arguments,
        "evaluate --config run/model.yaml --weights run/model.safetensors --units run/units.txt --data . "
        "--split dev %s",
        options);
    char *text = output_of(arguments);
    json_t *o = json_loads(text, 0, NULL);
    assert_non_null(o);
    attn_free(text);
    return o;
}

static void write_note(const char *text) {
    scratch_file("speech/SYNTHETIC.txt", text, strlen(text));
}

static bool says(const char *file, const char *words) {
    char path[64];
    snprintf(path, sizeof path, "speech/%s", file);
    char *text = attn_read_file(scratch_path(path), 1 << 20, NULL, NULL);
    assert_non_null(text);
    bool found = strstr(text, words);
    attn_free(text);
    return found;
}

static void train(int epochs) {
    char arguments[300];
    snprintf(
        arguments, sizeof arguments,
        "train --config model.yaml --data . --split train --dev-split dev --units word --epochs %d --out run "
        "%s",
        epochs, epochs == 1 ? "--seed 2" : "");
    attn_free(output_of(arguments));
}

/* The cache of a stream in q8_0 holds 34 bytes a row of 32 for 128, and hears nearly the same. */
static void test_streams_of_a_cache_type(void **state) {
    (void)state;
    train(6);
    assert_int_equal(rename(scratch_path("speech/err.txt"), scratch_path("speech/train.txt")), 0);
    json_t *plain = evaluate("--chunk 4 --left-chunks 8"),
           *small = evaluate("--chunk 4 --left-chunks 8 --kv-dtype q8_0");
    double loss = json_number(plain, "loss"), words = json_number(plain, "words");
    assert_true(json_number(small, "kv_bytes_live") * 128 == json_number(plain, "kv_bytes_live") * 34);
    assert_true(json_number(small, "loss") != loss && fabs(json_number(small, "loss") - loss) < 0.05 * loss);
    assert_true(words > 0 && json_number(small, "words") == words);
    assert_true(fabs(json_number(small, "wer_percent") - json_number(plain, "wer_percent")) <=
                100 * 2 / words);
    json_decref(plain);
    json_decref(small);
}

/* What train says that it will hold is what it held, to what tables of utterances and the judging take. */
static void test_memory_is_said(void **state) {
    (void)state;
    char *text = attn_read_file(scratch_path("speech/train.txt"), 1 << 20, NULL, NULL);
    char *log = attn_read_file(scratch_path("speech/run/log.jsonl"), 1 << 20, NULL, NULL);
    const char *said = strstr(text, "memory by formula: "),
               *sum = said ? strstr(said, "largest batch: ") : NULL;
    const char *held = strstr(log, "\"peak_bytes\": ");
    assert_non_null(sum);
    assert_non_null(held);
    double formula = atof(sum + strlen("largest batch: ")),
           peak = atof(held + strlen("\"peak_bytes\": ")) / 1e6;
    if (!(formula > 1 && fabs(peak - formula) < 0.5 + 0.2 * formula))
        fail_msg("said %g MB, held %g", formula, peak);
    attn_free(text);
    attn_free(log);
}

/* Result, terminal and log say it where SYNTHETIC.txt is, and only there. */
static void test_synthetic_is_said(void **state) {
    (void)state;
    json_t *o = evaluate("");
    assert_true(json_is_null(json_object_get(o, "synthetic")));
    json_decref(o);
    assert_false(says("run/log.jsonl", "\"synthetic\": true"));
    assert_true(says("run/log.jsonl", "\"synthetic\": false"));
    write_note("Tones, made by a test\nmore\n");
    o = evaluate("");
    assert_string_equal(json_text(o, "synthetic"), "Tones, made by a test");
    json_decref(o);
    attn_free(output_of(
        "evaluate --config run/model.yaml --weights run/model.safetensors --units run/units.txt --data . "
        "--split dev --format md"));
    assert_true(says("out.txt", "Synthetic speech, not people's: Tones, made by a test\nWER "));
    char command[400];
    snprintf(command, sizeof command, "rm -r '%s/run'", folder);
    assert_int_equal(system(command), 0);
    train(1);
    assert_true(says("run/log.jsonl", "\"synthetic\": true"));
    assert_true(says("err.txt", "synthetic speech, not people's: Tones, made by a test"));
    assert_true(says("err.txt", "% (synthetic speech); "));
}

static int set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s", scratch_path("speech"));
    tones_corpus(folder, "train", 24, 3);
    tones_corpus(folder, "dev", 6, 4);
    scratch_file("speech/model.yaml", model_text, strlen(model_text));
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_streams_of_a_cache_type),
                                       cmocka_unit_test(test_memory_is_said),
                                       cmocka_unit_test(test_synthetic_is_said)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
