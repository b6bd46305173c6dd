/* Training on tones: the same bits after any stop and with features in memory or a file; what is refused. */
#include "attn/alloc.h"
#include "attn/random.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/tone_runs.h"
#include "tests/support/models/tones.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char small_folder[256];

static void expect_same(const training_request *a, const training_request *b, const char *name) {
    size_t n, m;
    char *x = tone_run_file(a, name, &n), *y = tone_run_file(b, name, &m);
    assert_int_equal(n, m);
    if (memcmp(x, y, n))
        fail_msg("%s of %s and %s differ", name, a->out, b->out);
    attn_free(x);
    attn_free(y);
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
    training_request memory = tone_run("memory", tone_model, 2), file = tone_run("file", tone_model, 2),
                     again = tone_run("again", tone_model, 2);
    memory.data = file.data = again.data = small_folder;
    char path[512], *cache = strdup(scratch_path("features"));
    struct stat made, used;
    attn_error error = {0};
    file.feature_cache = again.feature_cache = cache;
    tone_run_train(&memory);
    tone_run_train(&file);
    expect_same(&memory, &file, "model.safetensors");
    feature_path(path, cache, "train-");
    assert_int_equal(stat(path, &made), 0);
    tone_run_train(&again);
    assert_int_equal(stat(path, &used), 0);
    assert_true(made.st_ino == used.st_ino); /* nobody wrote it again */
    expect_same(&memory, &again, "model.safetensors");
    assert_int_equal(truncate(path, made.st_size - 8), 0);
    assert_int_equal(training_run(&again, &error), -1);
    assert_non_null(strstr(error.message, "is no file of features"));
    assert_int_equal(attn_alloc_live(), 0);
    tone_run_free(&memory), tone_run_free(&file), tone_run_free(&again);
    free(cache);
}

static void test_same_seed_same_bits(void **state) {
    (void)state;
    training_request a = tone_run("once", tone_model, 3), b = tone_run("twice", tone_model, 3);
    training_request other = tone_run("other", tone_model, 3);
    a.data = b.data = other.data = small_folder;
    b.checkpoint_activations = true;
    other.seed = 4;
    tone_run_train(&a);
    tone_run_train(&b);
    tone_run_train(&other);
    tone_run_train(&a); /* nothing is left to do, and nothing changes */
    expect_same(&a, &b, "model.safetensors");
    expect_same(&a, &b, "state.safetensors");
    size_t n, m;
    char *x = tone_run_file(&a, "model.safetensors", &n), *y = tone_run_file(&other, "model.safetensors", &m);
    assert_true(n == m && memcmp(x, y, n));
    attn_free(x);
    attn_free(y);
    tone_run_free(&a);
    tone_run_free(&b);
    tone_run_free(&other);
}

/* Killed at any moment, again and again, until it is done. */
static void test_killed_and_taken_up(void **state) {
    (void)state;
    training_request a = tone_run("whole", tone_model, 8), b = tone_run("killed", tone_model, 8);
    a.data = b.data = small_folder;
    uint64_t random = 17;
    size_t kills = 0;
    tone_run_train(&a);
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
    tone_run_last(&b, "loss", 8);
    tone_run_free(&a);
    tone_run_free(&b);
}

static void test_no_epochs_writes_the_model(void **state) {
    (void)state;
    training_request a = tone_run("start", tone_model, 0), b = tone_run("further", tone_model, 1);
    tone_run_train(&a);
    char *weights = strdup(scratch_path("start/model.safetensors"));
    b.weights = weights;
    tone_run_train(&b);
    assert_true(tone_run_last(&b, "steps", 1) > 2);
    free(weights);
    tone_run_free(&a);
    tone_run_free(&b);
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
    training_request r = tone_run("refused", tone_model, 2);
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
    tone_run_free(&r);
    r = tone_run("vocabulary", "vocab_size: 9\nd_model: 16\nnum_heads: 2\n", 1);
    refuse(&r, "vocab_size 9, and there are 5 units");
    tone_run_free(&r);
    r = tone_run("dropped", "dropout: 1\n", 1);
    refuse(&r, "dropout 1");
    tone_run_free(&r);
    r = tone_run("width", "input_dim: 40\n", 1);
    refuse(&r, "input_dim 40: features of speech have 80");
    tone_run_free(&r);
    char wild[512];
    snprintf(wild, sizeof wild,
             "d_model: 16\nnum_heads: 2\nnum_layers: 1\nlearning_rate: 1000\nafter_norm: false\n"
             "weight_decay: 900\ntrain: {clip: 0, warmup_steps: 1}\n");
    r = tone_run("wild", wild, 30);
    refuse(&r, "epoch ");
    tone_run_free(&r);
}

/* More labels than frames: reported, without a gradient; refused when every utterance is such. */
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
    training_request r = tone_run("few", tone_model, 1);
    char *said = NULL;
    size_t size;
    r.data = folder;
    r.progress = open_memstream(&said, &size);
    tone_run_train(&r);
    fclose(r.progress);
    assert_non_null(strstr(said, "1 of 2 utterances have more labels than frames"));
    assert_non_null(strstr(said, "1-2-0001"));
    free(said);
    assert_true(tone_run_last(&r, "infeasible", 1) == 1);
    transcripts = fopen(path, "w");
    fprintf(transcripts,
            "1-2-0000 A B A A A A A A A A A A A A A A A A A A\n1-2-0001 A A A A A A A A A A A A A A\n");
    fclose(transcripts);
    r.progress = tone_nowhere;
    refuse(&r, "every utterance has more labels than frames");
    free(path);
    free(folder);
    tone_run_free(&r);
}

static int set_up(void **state) {
    snprintf(small_folder, sizeof small_folder, "%s", scratch_path("few-tones"));
    tones_corpus(small_folder, "train", 24, 3);
    tones_corpus(small_folder, "dev", 4, 4);
    return tone_runs_set_up(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feature_cache),
        cmocka_unit_test(test_same_seed_same_bits),
        cmocka_unit_test(test_killed_and_taken_up),
        cmocka_unit_test(test_no_epochs_writes_the_model),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_infeasible),
    };
    return cmocka_run_group_tests(tests, set_up, tone_runs_tear_down);
}
