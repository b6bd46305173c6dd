/* Training on tones: learns them, goes on to the bit after any stop, and says what is wrong. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/random.h"
#include "harness/model/speech/recognition.h"
#include "harness/model/training/training.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"
#include "tests/support/tones.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char corpus_folder[256], small_folder[256]; /* the first is large enough to learn from */
static FILE *nowhere;

static const char model_text[] = "model_type: conformer\nd_model: 8\nnum_heads: 2\nnum_layers: 1\n"
                                 "conv_kernel_size: 3\nff_expansion_factor: 2\ninput_layer: conv2d\n"
                                 "learning_rate: 0.01\ndropout: 0.1\n"
                                 "train: {batch_frames: 600, warmup_steps: 10, average_checkpoints: 2, "
                                 "time_width: 5, frequency_width: 5}\n";

/* A run in the scratch folder, by name. */
static training_request request_of(const char *run, const char *config, size_t epochs) {
    char name[64];
    snprintf(name, sizeof name, "%s.yaml", run);
    return (training_request){.config = strdup(scratch_file(name, config, strlen(config))),
                              .data = corpus_folder,
                              .split = "train",
                              .dev_split = "dev",
                              .out = strdup(scratch_path(run)),
                              .units = "word",
                              .epochs = epochs,
                              .epochs_given = true,
                              .seed = 3,
                              .threads = 1,
                              .progress = nowhere};
}

static void drop(training_request *r) {
    free((char *)(uintptr_t)r->config);
    free((char *)(uintptr_t)r->out);
}

static void train(const training_request *r) {
    attn_error error = {0};
    if (training_run(r, &error))
        fail_msg("%s", error.message);
    assert_int_equal(attn_alloc_live(), 0);
}

static char *file_of(const training_request *r, const char *name, size_t *size) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", r->out, name);
    char *bytes = attn_read_file(path, 1 << 26, size, NULL);
    if (!bytes)
        fail_msg("%s is missing", path);
    return bytes;
}

static void expect_same(const training_request *a, const training_request *b, const char *name) {
    size_t n, m;
    char *x = file_of(a, name, &n), *y = file_of(b, name, &m);
    assert_int_equal(n, m);
    if (memcmp(x, y, n))
        fail_msg("%s of %s and %s differ", name, a->out, b->out);
    attn_free(x);
    attn_free(y);
}

static double last_of_log(const training_request *r, const char *key, size_t lines) {
    char *text = file_of(r, "log.jsonl", NULL), *at = text;
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

/* Nothing is left to chance: it knows what it has seen, and what it has not seen. */
static void test_learns(void **state) {
    (void)state;
    training_request r = request_of("learns", model_text, 40);
    train(&r);
    assert_true(last_of_log(&r, "dev_wer_percent", 40) == 0);
    assert_true(last_of_log(&r, "loss", 40) < 2);
    assert_true(last_of_log(&r, "peak_bytes", 40) > 10000);
    drop(&r);
}

/* The only file of features of a split there; the path is the caller's. */
static void feature_path(char path[512], const char *folder, const char *split) {
    DIR *open = opendir(folder);
    assert_non_null(open);
    *path = '\0';
    for (const struct dirent *e; (e = readdir(open));)
        if (!strncmp(e->d_name, split, strlen(split))) {
            assert_true(*path == '\0');
            snprintf(path, 512, "%s/%.200s", folder, e->d_name);
        }
    closedir(open);
    assert_true(*path != '\0');
}

/* The same bits from features in memory and from a file, which is made once; a damaged one is refused. */
static void test_feature_cache(void **state) {
    (void)state;
    training_request memory = request_of("memory", model_text, 2), file = request_of("file", model_text, 2),
                     again = request_of("again", model_text, 2);
    memory.data = file.data = again.data = small_folder;
    char path[512], *cache = strdup(scratch_path("features"));
    struct stat made, used;
    attn_error error = {0};
    file.feature_cache = again.feature_cache = cache;
    train(&memory);
    train(&file);
    expect_same(&memory, &file, "model.safetensors");
    feature_path(path, cache, "train-");
    assert_int_equal(stat(path, &made), 0);
    train(&again);
    assert_int_equal(stat(path, &used), 0);
    assert_true(made.st_ino == used.st_ino); /* nobody wrote it again */
    expect_same(&memory, &again, "model.safetensors");
    assert_int_equal(truncate(path, made.st_size - 8), 0);
    assert_int_equal(training_run(&again, &error), -1);
    assert_non_null(strstr(error.message, "is no file of features"));
    assert_int_equal(attn_alloc_live(), 0);
    drop(&memory), drop(&file), drop(&again);
    free(cache);
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
    assert_int_equal(speech_read(&s, corpus_folder, "dev", 80, NULL), 0);
    assert_int_equal(speech_label(&s, &u, NULL), 0);
    recognition_options options = {.left_chunks = -1};
    assert_int_equal(recognition_run(&whole, model, &s, &u, &options, NULL), 0);
    recognition listed; /* without features: made one by one */
    speech list;
    assert_int_equal(speech_list(&list, corpus_folder, "dev", 80, NULL), 0);
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

static void test_same_seed_same_bits(void **state) {
    (void)state;
    training_request a = request_of("once", model_text, 3), b = request_of("twice", model_text, 3);
    training_request other = request_of("other", model_text, 3);
    a.data = b.data = other.data = small_folder;
    b.checkpoint_activations = true;
    other.seed = 4;
    train(&a);
    train(&b);
    train(&other);
    train(&a); /* nothing is left to do, and nothing changes */
    expect_same(&a, &b, "model.safetensors");
    expect_same(&a, &b, "state.safetensors");
    size_t n, m;
    char *x = file_of(&a, "model.safetensors", &n), *y = file_of(&other, "model.safetensors", &m);
    assert_true(n == m && memcmp(x, y, n));
    attn_free(x);
    attn_free(y);
    drop(&a);
    drop(&b);
    drop(&other);
}

/* Killed at any moment, again and again, until it is done. */
static void test_killed_and_taken_up(void **state) {
    (void)state;
    training_request a = request_of("whole", model_text, 8), b = request_of("killed", model_text, 8);
    a.data = b.data = small_folder;
    uint64_t random = 17;
    size_t kills = 0;
    train(&a);
    for (int done = 0; !done;) {
        pid_t child = fork();
        if (child == 0)
            _exit(training_run(&b, NULL) ? 1 : 0);
        struct timespec wait = {0, 5000000 + (long)attn_random_below(&random, 60000000)};
        nanosleep(&wait, NULL);
        int status;
        if (kills < 12)
            kill(child, SIGKILL);
        waitpid(child, &status, 0);
        done = WIFEXITED(status);
        assert_true(!done || WEXITSTATUS(status) == 0);
        kills += !done;
    }
    print_message("killed %zu times\n", kills);
    expect_same(&a, &b, "model.safetensors");
    expect_same(&a, &b, "state.safetensors");
    expect_same(&a, &b, "units.txt");
    last_of_log(&b, "loss", 8);
    drop(&a);
    drop(&b);
}

static void test_no_epochs_writes_the_model(void **state) {
    (void)state;
    training_request a = request_of("start", model_text, 0), b = request_of("further", model_text, 1);
    train(&a);
    char *weights = strdup(scratch_path("start/model.safetensors"));
    b.weights = weights;
    train(&b);
    assert_true(last_of_log(&b, "steps", 1) > 2);
    free(weights);
    drop(&a);
    drop(&b);
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
    assert_int_equal(speech_read(&s, corpus_folder, "dev", 80, NULL), 0);
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
    training_request r = request_of(run, model_text, epochs);
    char *weights = strdup(scratch_path("learns/model.safetensors"));
    r.weights = weights;
    r.convert_to = attn_variant_find(type);
    r.method = method;
    r.latent_dim = r.convert_to->has_latent ? size : 0;
    r.num_kv_heads = r.convert_to->has_latent ? 0 : size;
    r.learning_rate = 0.002;
    train(&r);
    if (epochs)
        train(&r); /* taken up: nothing is left to do */
    double loss = loss_of(r.out);
    free(weights);
    drop(&r);
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
    training_request r = request_of("schedule", model_text, 2);
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
    last_of_log(&r, "loss", 2);
    free(weights);
    drop(&r);
    assert_int_equal(attn_alloc_live(), 0);
}

static void refuse(const training_request *r, const char *message) {
    attn_error error = {0};
    assert_int_equal(training_run(r, &error), -1);
    if (!strstr(error.message, message))
        fail_msg("'%s' does not say '%s'", error.message, message);
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_refusals(void **state) {
    (void)state;
    training_request r = request_of("refused", model_text, 2);
    r.split = "no-such";
    refuse(&r, "no-such");
    r.split = "train";
    r.dev_split = "strange";
    refuse(&r, "utterance 1-2-0000: the word \"Q\" is not among the units");
    r.dev_split = "dev";
    const char *own = r.out;
    r.out = scratch_path("once");
    refuse(&r, "state.safetensors: of another training");
    r.out = own;
    drop(&r);
    r = request_of("vocabulary", "vocab_size: 9\nd_model: 16\nnum_heads: 2\n", 1);
    refuse(&r, "vocab_size 9, and there are 5 units");
    drop(&r);
    r = request_of("dropped", "dropout: 1\n", 1);
    refuse(&r, "dropout 1");
    drop(&r);
    r = request_of("width", "input_dim: 40\n", 1);
    refuse(&r, "input_dim 40: features of speech have 80");
    drop(&r);
    char wild[512];
    snprintf(wild, sizeof wild,
             "d_model: 16\nnum_heads: 2\nnum_layers: 1\nlearning_rate: 1000\nafter_norm: false\n"
             "weight_decay: 900\ntrain: {clip: 0, warmup_steps: 1}\n");
    r = request_of("wild", wild, 30);
    refuse(&r, "epoch ");
    drop(&r);
}

/* More labels than frames: said, and no gradient; all of them: refused. */
static void test_infeasible(void **state) {
    (void)state;
    char *folder = strdup(scratch_path("short"));
    tones_utterance(folder, "train", "0000", "A B", 1);
    tones_utterance(folder, "train", "0001", "A", 2);
    tones_utterance(folder, "dev", "0000", "A B", 1);
    char *path = strdup(scratch_path("short/train/1/2/1-2.trans.txt"));
    FILE *transcripts = fopen(path, "w");
    fprintf(transcripts, "1-2-0000 A B\n1-2-0001 A A A A A A A A A A A A A A A A A\n");
    fclose(transcripts);
    training_request r = request_of("few", model_text, 1);
    char *said = NULL;
    size_t size;
    r.data = folder;
    r.progress = open_memstream(&said, &size);
    train(&r);
    fclose(r.progress);
    assert_non_null(strstr(said, "1 of 2 utterances have more labels than frames"));
    assert_non_null(strstr(said, "1-2-0001"));
    free(said);
    assert_true(last_of_log(&r, "infeasible", 1) == 1);
    transcripts = fopen(path, "w");
    fprintf(transcripts,
            "1-2-0000 A B A A A A A A A A A A A A A A A A A A\n1-2-0001 A A A A A A A A A A A A A A\n");
    fclose(transcripts);
    r.progress = nowhere;
    refuse(&r, "every utterance has more labels than frames");
    free(path);
    free(folder);
    drop(&r);
}

static int set_up(void **state) {
    (void)state;
    snprintf(corpus_folder, sizeof corpus_folder, "%s", scratch_path("tones"));
    tones_corpus(corpus_folder, "train", 100, 1);
    tones_corpus(corpus_folder, "dev", 8, 2);
    snprintf(small_folder, sizeof small_folder, "%s", scratch_path("few-tones"));
    tones_corpus(small_folder, "train", 24, 3);
    tones_corpus(small_folder, "dev", 4, 4);
    tones_utterance(corpus_folder, "strange", "0000", "A Q", 1);
    nowhere = fopen("/dev/null", "w");
    return nowhere ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    fclose(nowhere);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_learns),
                                       cmocka_unit_test(test_feature_cache),
                                       cmocka_unit_test(test_evaluates_what_was_written),
                                       cmocka_unit_test(test_same_seed_same_bits),
                                       cmocka_unit_test(test_killed_and_taken_up),
                                       cmocka_unit_test(test_no_epochs_writes_the_model),
                                       cmocka_unit_test(test_conversions),
                                       cmocka_unit_test(test_schedule),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_infeasible)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
