/* Tiny studies on tones: killed at any moment and taken up, the same weights; what is done is not done again; what fails
 * is said; the page says of what speech it is. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/random.h"
#include "base/text/json.h"
#include "harness/study/study.h"
#include "reports/page/study_page.h"
#include "reports/study/study_result.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/tones.h"
#include "tests/support/scratch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char corpus_folder[256];

#define MODEL                                                                                                \
    "latency: {frames: 100, runs: 1}\ntune_epochs: 1\n"                                                      \
    "models:\n  - {model_type: conformer, d_model: 8, num_heads: 2, num_layers: 1, conv_kernel_size: 3, "    \
    "ff_expansion_factor: 1, num_epochs: 1, train: {batch_frames: 600}}\n"
static const char plan_text[] = MODEL
    "runs:\n  - origin: [no_attention, without_attention]\n  - {origin: fine_tuned, attention_type: mla, "
    "latent_dim: 4}\n";

static study_request request_of(const char *name, const char *text) {
    char file[64];
    snprintf(file, sizeof file, "%s.yaml", name);
    return (study_request){.plan = strdup(scratch_file(file, text, strlen(text))),
                           .data = corpus_folder,
                           .out = strdup(scratch_path(name)),
                           .jobs = 2};
}

static void drop(study_request *r) {
    free((char *)(uintptr_t)r->plan);
    free((char *)(uintptr_t)r->out);
}

typedef struct outcome {
    size_t runs, failed, was_done;
    json_t *results;
} outcome;

static int try(outcome *o, const study_request *r, attn_error *error) {
    study s;
    int failed = study_open(&s, r, error) || study_run_all(&s, r, error);
    *o = (outcome){s.runs.count, s.failed, s.was_done, failed ? NULL : study_results(&s.runs, error)};
    study_close(&s);
    assert_int_equal(attn_alloc_live(), 0);
    return o->results ? 0 : -1;
}

static outcome make(const study_request *r) {
    outcome o;
    attn_error error = {0};
    if (try(&o, r, &error))
        fail_msg("%s", error.message);
    return o;
}

static char *file_of(const study_request *r, const char *run, const char *name, size_t *size) {
    char path[512];
    snprintf(path, sizeof path, "%s/runs/conformer-d8-l1-k3-%s-s1/%s", r->out, run, name);
    char *bytes = attn_read_file(path, 1 << 26, size, NULL);
    if (!bytes)
        fail_msg("%s is missing", path);
    return bytes;
}

static void expect_same(const study_request *a, const study_request *b, const char *run) {
    size_t n, m;
    char *x = file_of(a, run, "model.safetensors", &n), *y = file_of(b, run, "model.safetensors", &m);
    if (n != m || memcmp(x, y, n))
        fail_msg("%s differs", run);
    attn_free(x);
    attn_free(y);
}

/* In a process of its own, which is killed after a while; whether it was done before that. */
static int done_before(const study_request *r, long nanoseconds) {
    outcome o;
    pid_t child = fork();
    if (child == 0)
        _exit(try(&o, r, NULL) ? 1 : 0);
    struct timespec wait = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    int status;
    nanosleep(&wait, NULL);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return WIFEXITED(status);
}

static const json_t *model_of(const study_data *d, const char *origin) {
    size_t i;
    json_t *row;
    json_array_foreach(d->models, i, row) if (!strcmp(json_text(row, "origin"), origin)) return row;
    fail_msg("no %s", origin);
    return NULL;
}

/* What a process that was killed leaves of a file of features. */
static void leave_unfinished(const char *file) {
    char folder[320];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(file, '/') - file), file);
    assert_int_equal(attn_make_folder(folder, NULL), 0);
    assert_int_equal(attn_write_file(file, "", 0, NULL), 0);
}

static void test_killed_and_taken_up(void **state) {
    (void)state;
    study_request a = request_of("whole", plan_text), b = request_of("killed", plan_text);
    uint64_t random = 29;
    outcome whole = make(&a);
    assert_int_equal(whole.runs, 4);
    assert_int_equal(whole.failed, 0);
    assert_int_equal(whole.was_done, 0);
    assert_string_equal(json_text(whole.results, "corpus"), strrchr(corpus_folder, '/') + 1);
    for (int kills = 0; kills < 4 && !done_before(&b, 20000000 + (long)attn_random_below(&random, 250000000));
         kills++)
        ;
    char unfinished[320];
    snprintf(unfinished, sizeof unfinished, "%s/features/train.features.tmp.1", b.out);
    leave_unfinished(unfinished);
    outcome killed = make(&b);
    assert_int_equal(access(unfinished, F_OK), -1);
    assert_int_equal(killed.failed, 0);
    expect_same(&a, &b, "mha-scratch");
    expect_same(&a, &b, "mha-no_attention");
    expect_same(&a, &b, "mha-without_attention");
    expect_same(&a, &b, "mla-4-fine_tuned");
    json_decref(killed.results);
    json_decref(whole.results);
    drop(&a);
    drop(&b);
}

static void test_done_is_not_done_again(void **state) {
    (void)state;
    study_request r = request_of("whole", plan_text);
    struct stat before, after;
    char weights[300];
    snprintf(weights, sizeof weights, "%s/runs/conformer-d8-l1-k3-mha-scratch-s1/model.safetensors", r.out);
    assert_int_equal(stat(weights, &before), 0);
    outcome o = make(&r);
    assert_int_equal(stat(weights, &after), 0);
    assert_int_equal(o.was_done, 4);
    assert_true(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    json_decref(o.results);
    drop(&r);
}

static void test_broken_log_is_named(void **state) {
    (void)state;
    study_request r = request_of("killed", plan_text);
    char path[400];
    snprintf(path, sizeof path, "%s/runs/conformer-d8-l1-k3-mha-scratch-s1/log.jsonl", r.out);
    FILE *log = fopen(path, "a");
    assert_non_null(log);
    fputs("{\"epoch\": \n", log);
    fclose(log);
    outcome o;
    attn_error error = {0};
    assert_int_equal(try(&o, &r, &error), -1);
    if (!strstr(error.message, "log.jsonl:") || !strstr(error.message, ": expected JSON"))
        fail_msg("%s", error.message);
    drop(&r);
}

/* Each shard does its own runs; the whole does none of them again, and has the same weights. */
static void test_shards_make_the_whole(void **state) {
    (void)state;
    study_request whole = request_of("whole", plan_text), r = request_of("shards", plan_text);
    size_t runs = 0;
    for (r.own = (shard){1, 2}; r.own.index <= 2; r.own.index++) {
        study s;
        attn_error error = {0};
        char path[400];
        if (study_open(&s, &r, &error) || study_run_all(&s, &r, &error))
            fail_msg("%s", error.message);
        assert_int_equal(s.failed, 0);
        assert_int_equal(s.was_done, 0);
        assert_true(study_own_count(&s) > 0);
        runs += study_own_count(&s);
        snprintf(path, sizeof path, "%s/latency", r.out);
        assert_int_equal(access(path, F_OK), -1);
        study_close(&s);
    }
    assert_int_equal(runs, 4);
    r.own = (shard){0};
    outcome o = make(&r);
    assert_int_equal(o.was_done, 4);
    expect_same(&whole, &r, "mla-4-fine_tuned");
    expect_same(&whole, &r, "mha-without_attention");
    json_decref(o.results);
    drop(&whole);
    drop(&r);
}

/* Attention adds nothing, so that the model computes the same with other keys: its output layer is 0. */
static void expect_silent(const study_request *r, const char *run) {
    size_t size, n;
    char *text = file_of(r, run, "model.safetensors", &size);
    uint64_t head;
    json_error_t why;
    memcpy(&head, text, sizeof head);
    json_t *names = json_loadb(text + 8, (size_t)head, 0, &why);
    static const char *const zero[] = {"weight", "bias"};
    for (n = 0; n < 2; n++) {
        char name[80];
        snprintf(name, sizeof name, "encoders.0.self_attn.linear_out.%s", zero[n]);
        const json_t *tensor = json_object_get(names, name);
        if (!tensor) {
            snprintf(name, sizeof name, "encoders.0.self_attn.out_proj.%s", zero[n]);
            tensor = json_object_get(names, name);
        }
        assert_non_null(tensor);
        const json_t *place = json_object_get(tensor, "data_offsets");
        for (json_int_t i = json_integer_value(json_array_get(place, 0));
             i < json_integer_value(json_array_get(place, 1)); i++)
            assert_int_equal(text[8 + head + (size_t)i], 0);
    }
    json_decref(names);
    attn_free(text);
}

static void test_no_attention(void **state) {
    (void)state;
    study_request r = request_of("whole", plan_text);
    expect_silent(&r, "mha-no_attention");
    expect_silent(&r, "mha-without_attention");
    drop(&r);
}

static void test_another_plan_is_refused(void **state) {
    (void)state;
    char text[1000];
    snprintf(text, sizeof text, "%s", plan_text);
    memcpy(strstr(text, "num_epochs: 1"), "num_epochs: 2", 13);
    study_request r = request_of("whole", text);
    outcome o;
    attn_error error = {0};
    assert_int_equal(try(&o, &r, &error), -1);
    assert_non_null(strstr(error.message, "of another plan or other speech"));
    drop(&r);
}

/* One run fails, what begins with it fails with it, and the rest is there. */
static void test_failure_is_said(void **state) {
    (void)state;
    char text[1200];
    snprintf(text, sizeof text, "%s", plan_text);
    memcpy(strstr(text, "num_epochs: 1"), "dropout: 1   ", 13);
    study_request r = request_of("fails", text);
    outcome o = make(&r);
    size_t i, followers = 0;
    json_t *run;
    assert_int_equal(o.failed, 4); /* nothing is left to learn from when all is dropped */
    json_array_foreach(json_object_get(o.results, "runs"), i,
                       run) if (json_is_true(json_object_get(run, "failed"))) {
        assert_true(strlen(json_text(run, "why")) > 5);
        followers += strstr(json_text(run, "why"), "which it begins with, failed") != NULL;
    }
    assert_int_equal(followers, 2);
    json_decref(o.results);
    drop(&r);
}

static void expect(const char *folder, const char *file, const char *words, bool there) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    char *text = attn_read_file(path, 1 << 24, NULL, NULL);
    assert_non_null(text);
    if ((strstr(text, words) != NULL) != there)
        fail_msg("%s %s \"%s\"", path, there ? "does not say" : "says", words);
    attn_free(text);
}

/* The same study as speech of people, and as synthetic speech. */
static void test_page_says_synthetic(void **state) {
    (void)state;
    study_request r = request_of("whole", plan_text);
    for (int synthetic = 0; synthetic < 2; synthetic++) {
        outcome o = make(&r);
        study_data d;
        drawing pictures = {.missing = true}; /* gnuplot's part has tests of its own */
        attn_error error = {0};
        if (synthetic)
            json_object_set_new(o.results, "synthetic", json_string("Tones, made by a test"));
        assert_int_equal(study_data_make(&d, o.results, "study", &error), 0);
        if (study_page_make(&d, r.out, &pictures, &error))
            fail_msg("%s", error.message);
        assert_true(pictures.undrawn > 3);
        static const char *const files[] = {"index.html",
                                            "tables/study_models.md",
                                            "tables/study_models.csv",
                                            "tables/study_changes.md",
                                            "tables/study_published.md",
                                            "plots/study_1_wer_cache.gp"};
        for (size_t i = 0; i < sizeof files / sizeof *files; i++)
            expect(r.out, files[i], "synthetic speech", synthetic);
        expect(r.out, "index.html", "Tones, made by a test", synthetic);
        expect(r.out, "index.html", "of test, without dev, which judges each epoch", true);
        const json_t *tuned = model_of(&d, "fine_tuned"), *none = model_of(&d, "no_attention");
        assert_true(json_number(tuned, "cache_percent") == 25);
        assert_true(json_number(tuned, "kv_bytes") == json_number(tuned, "kv_bytes_live"));
        assert_true(json_number(tuned, "wer_low_percent") <= json_number(tuned, "wer_percent"));
        assert_int_equal(json_integer_value(json_object_get(tuned, "utterances")),
                         3); /* of test, without dev */
        assert_true(json_number(tuned, "dev_wer_percent") >= 0 &&
                    json_number(tuned, "both_wer_percent") >= 0);
        assert_string_equal(json_text(tuned, "reference"), "mha, scratch, 1 epochs");
        assert_true(json_number(none, "kv_bytes") == 0 && json_number(none, "wer_percent") > 0);
        study_data_free(&d);
    }
    assert_int_equal(attn_alloc_live(), 0);
    drop(&r);
}

/* Another one, with the words of those of "dev". */
static void add_speaker(void) {
    char command[1200];
    snprintf(command, sizeof command,
             "cd '%s' && mkdir -p train/7/2 && cd dev/1/2 && for f in *.flac; do cp $f "
             "../../../train/7/2/7-${f#1-}; done && "
             "sed s/^1-/7-/ 1-2.trans.txt >../../../train/7/2/7-2.trans.txt",
             corpus_folder);
    assert_int_equal(system(command), 0);
}

/* Each speaker is left out of what is learned, and heard alone. */
static void test_folds(void **state) {
    (void)state;
    char text[1200];
    snprintf(text, sizeof text, "folds: speakers\n" MODEL "runs:\n  - origin: scratch\n");
    study_request r = request_of("folds", text);
    add_speaker();
    outcome o = make(&r);
    const json_t *runs = json_object_get(o.results, "runs");
    size_t heard = 0;
    assert_int_equal(o.failed, 0);
    assert_true(json_array_size(runs) >= 2);
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i), *id;
        const char *without = json_text(run, "without");
        size_t k;
        json_array_foreach(json_at(json_array_get(json_object_get(run, "evaluations"), 0), "utterances.id"),
                           k, id) {
            assert_int_equal(strncmp(json_string_value(id), without, strlen(without)), 0);
            heard++;
        }
    }
    assert_int_equal(heard, json_integer_value(json_object_get(
                                json_array_get(json_object_get(o.results, "splits"), 0), "utterances")));
    json_decref(o.results);
    drop(&r);
}

static int begin(void **state) {
    (void)state;
    const char *program = getenv("ATTNBENCH");
    setenv("ATTNBENCH_CHILD", program ? program : "build/attnbench", 1);
    snprintf(corpus_folder, sizeof corpus_folder, "%s", scratch_path("corpus"));
    setenv("ATTNBENCH_HOME", ".", 1);
    tones_corpus(corpus_folder, "train", 8, 1);
    tones_corpus(corpus_folder, "dev", 3, 2);
    tones_corpus(corpus_folder, "test", 3, 3);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_killed_and_taken_up),
                                       cmocka_unit_test(test_done_is_not_done_again),
                                       cmocka_unit_test(test_broken_log_is_named),
                                       cmocka_unit_test(test_shards_make_the_whole),
                                       cmocka_unit_test(test_no_attention),
                                       cmocka_unit_test(test_another_plan_is_refused),
                                       cmocka_unit_test(test_failure_is_said),
                                       cmocka_unit_test(test_page_says_synthetic),
                                       cmocka_unit_test(test_folds)};
    return cmocka_run_group_tests(tests, begin, NULL);
}
