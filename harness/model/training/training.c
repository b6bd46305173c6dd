#include "harness/model/training/training.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/threads.h"
#include "base/clock.h"
#include "base/progress.h"
#include "base/text/append.h"
#include "base/text/hash.h"
#include "datasets/fbank.h"
#include "harness/model/speech/recognition.h"
#include "harness/model/training/trainer.h"
#include "harness/model/training/training_log.h"
#include "harness/model/training/training_model.h"

#include <cblas.h>
#include <string.h>

static const double MOST_IN_MEMORY = 1 << 30; /* bytes of features of a split */

typedef struct training {
    const training_request *request;
    attn_config config;
    units units;
    speech speech, dev;
    trainer trainer;
    attn_threads *threads;
    double began;
} training;

/* RUN/NAME; attn_free it. */
static char *path_in(const training *t, const char *name, attn_error *error) {
    return attn_format(error, "%s/%s", t->request->out, name);
}

/* ---- What is learned ---- */

static int read_units(training *t, attn_error *error) {
    const char *kind = t->request->units;
    if (!strcmp(kind, "char") || !strcmp(kind, "word"))
        return speech_units(&t->speech, &t->units, *kind == 'c' ? UNITS_CHARACTERS : UNITS_WORDS, error);
    return units_read(&t->units, kind, error);
}

/* The configuration may leave vocab_size to the units. */
static int settle_vocabulary(training *t, attn_error *error) {
    if (!t->config.vocab_size)
        t->config.vocab_size = t->units.count;
    if (t->config.vocab_size != t->units.count)
        return attn_fail(error, "%s: vocab_size %zu, and there are %zu units", t->request->config,
                         t->config.vocab_size, t->units.count);
    return attn_config_check(&t->config, t->request->config, error);
}

/* Features of all utterances: in memory, or in a file where they are large or one was asked for. */
static int keep_features(speech *s, const training *t, const char *split, attn_error *error) {
    const training_request *r = t->request;
    double bytes;
    char *own = NULL;
    if (speech_feature_bytes(&bytes, s, error) ||
        (!r->feature_cache && bytes > MOST_IN_MEMORY && !(own = path_in(t, "features", error))))
        return -1;
    const char *folder = own ? own : r->feature_cache;
    int result = speech_keep(s, folder, split, error);
    if (!result)
        fprintf(r->progress, "attnbench train: %s: %.1f MB of features in %s\n", split, bytes * 1e-6,
                folder ? folder : "memory");
    attn_free(own);
    return result;
}

static bool is_synthetic(const training *t) {
    return t->speech.corpus.synthetic; /* of the corpus, so of both splits */
}

static int read_speech(training *t, attn_error *error) {
    const training_request *r = t->request;
    if (speech_list(&t->speech, r->data, r->split, t->config.input_dim, error) ||
        speech_list(&t->dev, r->data, r->dev_split, t->config.input_dim, error) || read_units(t, error) ||
        keep_features(&t->speech, t, r->split, error) || keep_features(&t->dev, t, r->dev_split, error) ||
        settle_vocabulary(t, error) || speech_label(&t->speech, &t->units, error) ||
        speech_label(&t->dev, &t->units, error))
        return -1;
    char length[32];
    progress_time(length, sizeof length, t->speech.seconds);
    fprintf(r->progress, "attnbench train: %s: %zu utterances, %s of speech; %zu units\n", r->split,
            t->speech.count, length, t->units.count);
    if (is_synthetic(t))
        fprintf(r->progress, "attnbench train: synthetic speech, not people's: %s\n",
                t->speech.corpus.synthetic);
    return 0;
}

/* Utterances that no alignment fits give no gradient; says which, the first few. */
static int check_lengths(const training *t, attn_error *error) {
    size_t bad = 0;
    char some[200] = "";
    for (size_t u = 0; u < t->speech.count; u++) {
        size_t frames = attn_output_frames(&t->config, t->speech.frames[u]);
        if (attn_train_ctc_least_frames(t->speech.labels[u], t->speech.label_counts[u]) <= frames)
            continue;
        if (bad++ < 3)
            text_list(some, sizeof some, ", ", "%.50s", t->speech.corpus.utterances[u].id);
    }
    if (bad == t->speech.count)
        return attn_fail(error,
                         "%s: every utterance has more labels than frames after the input layer (%s): other "
                         "--units, or an input layer that keeps more frames",
                         t->request->split, some);
    if (bad)
        fprintf(
            t->request->progress,
            "attnbench train: %zu of %zu utterances have more labels than frames after the input layer and "
            "teach nothing: %s%s\n",
            bad, t->speech.count, some, bad > 3 ? ", ..." : "");
    return 0;
}

static int make_trainer(training *t, attn_error *error) {
    attn_model *model;
    if (training_model_make(&model, &t->config, t->request, &t->speech, error))
        return -1;
    return trainer_create(&t->trainer, model, error);
}

static size_t epochs_of(const training *t) {
    if (t->request->epochs || t->request->epochs_given)
        return t->request->epochs;
    return training_epochs(&t->config);
}

static int set_up(training *t, attn_error *error) {
    const training_request *r = t->request;
    size_t steps;
    char note[256];
    if (attn_config_read(&t->config, r->config, note, error))
        return -1;
    if (note[0])
        fprintf(r->progress, "attnbench train: %s\n", note);
    if (r->learning_rate > 0)
        t->config.learning_rate = r->learning_rate;
    if (t->config.dropout >= 1)
        return attn_fail(error, "%s: dropout %g: nothing would be left to learn from", r->config,
                         t->config.dropout);
    if (read_speech(t, error) || check_lengths(t, error) || make_trainer(t, error))
        return -1;
    t->trainer.seed = r->seed;
    t->trainer.epochs = epochs_of(t);
    t->trainer.checkpoint_activations = r->checkpoint_activations;
    t->trainer.bf16_activations = r->bf16_activations;
    if (trainer_count_steps(&steps, &t->trainer, &t->speech, error))
        return -1;
    t->trainer.total_steps = steps * t->trainer.epochs;
    return 0;
}

/* ---- What is kept ---- */

/* Of everything that the bits depend on. */
static int identify(const training *t, uint64_t *identity, attn_error *error) {
    char *config = attn_config_format(&t->config, error), numbers[80];
    if (!config)
        return -1;
    *identity = hash_text(HASH_START, config);
    attn_free(config);
    snprintf(numbers, sizeof numbers, "%llu %zu %d", (unsigned long long)t->request->seed, t->trainer.epochs,
             t->request->threads);
    *identity = hash_text(*identity, numbers);
    *identity = hash_text(*identity, t->request->weights ? t->request->weights : "");
    if (t->request->bf16_activations)
        *identity = hash_text(*identity, t->request->checkpoint_activations ? "bf16 inputs" : "bf16");
    if (t->request->convert_to)
        *identity = hash_text(*identity, attn_convert_method_names[t->request->method]);
    for (size_t i = 0; i < t->units.count; i++)
        *identity = hash_text(*identity, t->units.tokens[i]);
    for (size_t u = 0; u < t->speech.count; u++) {
        *identity = hash_text(*identity, t->speech.corpus.utterances[u].id);
        *identity = hash_text(*identity, t->speech.corpus.utterances[u].transcript);
    }
    return 0;
}

static int write_config(const training *t, attn_error *error) {
    char *text = attn_config_format(&t->config, error), *path = path_in(t, "model.yaml", error);
    int failed = text && path ? attn_write_file(path, text, strlen(text), error) : -1;
    attn_free(text);
    attn_free(path);
    return failed;
}

static int write_units(const training *t, attn_error *error) {
    char *path = path_in(t, "units.txt", error);
    int failed = path ? units_write(&t->units, path, error) : -1;
    attn_free(path);
    return failed;
}

static int write_model(training *t, attn_error *error) {
    char *path = path_in(t, "model.safetensors", error);
    int failed = path ? attn_model_save(trainer_result(&t->trainer), path, error) : -1;
    attn_free(path);
    return failed;
}

static int write_row(const training *t, const training_row *row, attn_error *error) {
    char *path = path_in(t, "log.jsonl", error);
    int failed = path ? training_log_add(path, row, error) : -1;
    attn_free(path);
    return failed;
}

static int write_state(const training *t, uint64_t identity, attn_error *error) {
    char *path = path_in(t, "state.safetensors", error);
    int failed = path ? trainer_save(&t->trainer, identity, path, error) : -1;
    attn_free(path);
    return failed;
}

static int take_up(training *t, uint64_t identity, bool *found, attn_error *error) {
    char *path = path_in(t, "state.safetensors", error);
    int failed = path ? trainer_load(&t->trainer, found, identity, path, error) : -1;
    attn_free(path);
    return failed;
}

/* ---- Epochs ---- */

static int judge(training *t, training_row *row, attn_error *error) {
    recognition r;
    recognition_options options = {.left_chunks = -1};
    int failed = recognition_run(&r, trainer_result(&t->trainer), &t->dev, &t->units, &options, error);
    row->dev_loss = r.loss;
    row->dev_wer_percent = word_errors_percent(&r.words);
    recognition_free(&r);
    return failed;
}

static void say(const training *t, const training_row *row, size_t first) {
    char took[32], left[32];
    double each = (clock_now() - t->began) / (double)(row->epoch - first);
    progress_time(took, sizeof took, row->seconds);
    progress_time(left, sizeof left, each * (double)(t->trainer.epochs - row->epoch));
    fprintf(t->request->progress,
            "attnbench train: epoch %zu of %zu: loss %.3f, %s: loss %.3f, WER %.2f%%%s; %s, %s left\n",
            row->epoch, t->trainer.epochs, row->loss, t->request->dev_split, row->dev_loss,
            row->dev_wer_percent, row->synthetic ? " (synthetic speech)" : "", took, left);
    fflush(t->request->progress);
}

/* The state comes last: what is written before it is written again, the same, after a stop. */
static int run_epoch(training *t, uint64_t identity, size_t first, attn_error *error) {
    trainer_epoch e;
    double began = clock_now();
    attn_threads *before = attn_threads_use(t->threads);
    int failed = trainer_run_epoch(&t->trainer, &e, &t->speech, error);
    attn_threads_use(before);
    if (failed)
        return -1;
    training_row row = {.epoch = t->trainer.epoch,
                        .steps = (size_t)t->trainer.step,
                        .seconds = clock_now() - began,
                        .loss = e.loss,
                        .learning_rate = e.learning_rate,
                        .gradient_norm = e.gradient_norm,
                        .infeasible = e.infeasible,
                        .peak_bytes = attn_alloc_peak(),
                        .synthetic = is_synthetic(t)};
    if (judge(t, &row, error) || write_model(t, error) || write_row(t, &row, error) ||
        write_state(t, identity, error))
        return -1;
    say(t, &row, first);
    return 0;
}

static double bytes_in_memory(const speech *s) {
    double frames = 0;
    for (size_t i = 0; i < s->count && !s->file.map; i++)
        frames += (double)s->frames[i];
    return frames * FBANK_BINS * sizeof(float);
}

/* Before the first step, so that the user can still ask for less. */
static int say_memory(training *t, attn_error *error) {
    double features = bytes_in_memory(&t->speech) + bytes_in_memory(&t->dev);
    double models = 20.0 * (double)attn_model_parameters(trainer_result(&t->trainer));
    size_t batch;
    attn_threads *before = attn_threads_use(t->threads);
    int failed = trainer_batch_bytes(&batch, &t->trainer, &t->speech, error);
    attn_threads_use(before);
    if (failed)
        return -1;
    fprintf(t->request->progress,
            "attnbench train: memory by formula: %.1f MB of features, %.1f MB of parameters (each five "
            "times), %.1f MB for the largest batch: %.0f MB\n",
            features / 1e6, models / 1e6, (double)batch / 1e6, (features + models + (double)batch) / 1e6);
    return 0;
}

static int run(training *t, attn_error *error) {
    uint64_t identity;
    bool found;
    if (attn_make_folder(t->request->out, error) || identify(t, &identity, error) ||
        take_up(t, identity, &found, error))
        return -1;
    if (!found && (write_config(t, error) || write_units(t, error) || write_model(t, error)))
        return -1;
    size_t first = t->trainer.epoch;
    if (found)
        fprintf(t->request->progress, "attnbench train: %s has %zu of %zu epochs\n", t->request->out, first,
                t->trainer.epochs);
    if (t->trainer.epoch < t->trainer.epochs && say_memory(t, error))
        return -1;
    t->began = clock_now();
    while (t->trainer.epoch < t->trainer.epochs)
        if (run_epoch(t, identity, first, error))
            return -1;
    return 0;
}

int training_run(const training_request *request, attn_error *error) {
    training t = {.request = request};
    openblas_set_num_threads(1); /* threads are ours */
    int failed = set_up(&t, error) || attn_threads_open(&t.threads, (size_t)request->threads, NULL, error) ||
                         run(&t, error)
                     ? -1
                     : 0;
    attn_threads_close(t.threads);
    trainer_free(&t.trainer);
    speech_free(&t.speech);
    speech_free(&t.dev);
    units_free(&t.units);
    return failed;
}
