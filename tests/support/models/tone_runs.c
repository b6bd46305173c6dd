#include "tests/support/models/tone_runs.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/tones.h"
#include "tests/support/scratch.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

char tone_folder[256];
FILE *tone_nowhere;

const char tone_model[] = "model_type: conformer\nd_model: 8\nnum_heads: 2\nnum_layers: 1\n"
                          "conv_kernel_size: 3\nff_expansion_factor: 2\ninput_layer: conv2d\n"
                          "learning_rate: 0.01\ndropout: 0.1\n"
                          "train: {batch_frames: 600, warmup_steps: 10, average_checkpoints: 2, "
                          "time_width: 5, frequency_width: 5}\n";

int tone_runs_set_up(void **state) {
    (void)state;
    snprintf(tone_folder, sizeof tone_folder, "%s", scratch_path("tones"));
    tones_corpus(tone_folder, "train", 100, 1);
    tones_corpus(tone_folder, "dev", 8, 2);
    tones_utterance(tone_folder, "strange", "0000", "A Q", 1);
    tone_nowhere = fopen("/dev/null", "w");
    return tone_nowhere ? 0 : -1;
}

int tone_runs_tear_down(void **state) {
    (void)state;
    fclose(tone_nowhere);
    return 0;
}

training_request tone_run(const char *run, const char *config, size_t epochs) {
    char name[64];
    snprintf(name, sizeof name, "%s.yaml", run);
    return (training_request){.config = strdup(scratch_file(name, config, strlen(config))),
                              .data = tone_folder,
                              .split = "train",
                              .dev_split = "dev",
                              .out = strdup(scratch_path(run)),
                              .units = "word",
                              .epochs = epochs,
                              .epochs_given = true,
                              .seed = 3,
                              .threads = 1,
                              .progress = tone_nowhere};
}

void tone_run_free(training_request *r) {
    free((char *)(uintptr_t)r->config);
    free((char *)(uintptr_t)r->out);
}

void tone_run_train(const training_request *r) {
    attn_error error = {0};
    if (training_run(r, &error))
        fail_msg("%s", error.message);
    assert_int_equal(attn_alloc_live(), 0);
}

char *tone_run_file(const training_request *r, const char *name, size_t *size) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", r->out, name);
    char *bytes = attn_read_file(path, 1 << 26, size, NULL);
    if (!bytes)
        fail_msg("%s is missing", path);
    return bytes;
}

double tone_run_last(const training_request *r, const char *key, size_t lines) {
    char *text = tone_run_file(r, "log.jsonl", NULL), *at = text;
    json_t *row = NULL;
    for (size_t i = 0; i < lines; i++) {
        json_decref(row);
        char *end = strchr(at, '\n');
        assert_non_null(end);
        row = json_loadb(at, (size_t)(end - at), 0, NULL);
        assert_non_null(row);
        assert_int_equal(json_integer_value(json_object_get(row, "epoch")), i + 1);
        at = end + 1;
    }
    assert_int_equal(*at, '\0');
    double value = json_number_value(json_object_get(row, key));
    json_decref(row);
    attn_free(text);
    return value;
}
