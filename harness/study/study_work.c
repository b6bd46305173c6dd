#include "harness/study/study_work.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/append.h"
#include "harness/study/study_command.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { LIST_TEXT = 400 };

static char *data_of(const study_runs *r, const study_run *run, attn_error *error) {
    return run->speaker == STUDY_NONE
               ? attn_strdup(r->corpus->folder, error)
               : attn_format(error, "%s/folds/without-%s", r->out, r->corpus->speakers[run->speaker]);
}

static void say_schedule(study_command *c, const study_kind *k, attn_error *error) {
    char list[LIST_TEXT] = "";
    for (size_t i = 0; i < k->steps; i++)
        text_list(list, sizeof list, ",", "%zu", k->schedule[i]);
    study_say_made(c, "--latent-schedule", attn_strdup(list, error));
}

static void say_origin(study_command *c, const study_runs *r, const study_run *run, attn_error *error) {
    const study_kind *k = run->kind;
    if (run->base == STUDY_NONE) {
        study_say_made(c, "--config", study_run_path(r, run, "config.yaml", error));
        study_say_made(c, "--units", attn_strdup(r->plan->units, error));
        return;
    }
    const study_run *base = &r->at[run->base];
    if (k->origin == STUDY_NO_ATTENTION) {
        study_say_made(c, "--config", study_run_path(r, run, "config.yaml", error));
        study_say_made(c, "--weights", study_run_path(r, base, "model.safetensors", error));
        study_say_made(c, "--units", study_run_path(r, base, "units.txt", error));
        return;
    }
    study_say_made(c, "--from", study_run_path(r, base, "", error));
    study_say_made(c, "--config", study_run_path(r, base, "model.yaml", error));
    if (k->learning_rate > 0)
        study_say_made(c, "--learning-rate", attn_format(error, "%.17g", k->learning_rate));
    if (k->origin == STUDY_CONTROL)
        return;
    study_say_made(c, "--convert-to", attn_strdup(k->config.variant->name, error));
    study_say_made(c, "--method", attn_strdup(attn_convert_method_names[k->method], error));
    if (k->steps)
        say_schedule(c, k, error);
    else if (k->config.variant->has_latent)
        study_say_made(c, "--latent-dim", attn_format(error, "%zu", k->config.attention.latent_dim));
    else
        study_say_made(c, "--num-kv-heads", attn_format(error, "%zu", k->config.attention.num_kv_heads));
}

/* Features are the same for every run of the same speech. */
static char *features_folder(const study_runs *r, attn_error *error) {
    return attn_format(error, "%s/features", r->out);
}

static int train(const study_runs *r, const study_run *run, attn_error *error) {
    study_command c = {.words = {r->program, "train"}, .count = 2};
    char *held_out = NULL;
    if (run->speaker != STUDY_NONE && survey_held_out(&held_out, r->corpus, run->speaker, 0, error))
        return -1;
    say_origin(&c, r, run, error);
    study_say_made(&c, "--data", data_of(r, run, error));
    study_say_made(&c, "--split", attn_strdup(r->plan->train, error));
    study_say_made(&c, "--dev-split", held_out ? held_out : attn_strdup(r->plan->dev, error));
    study_say_made(&c, "--out", study_run_path(r, run, "", error));
    study_say_made(&c, "--feature-cache", features_folder(r, error));
    study_say_made(&c, "--epochs", attn_format(error, "%zu", run->kind->epochs));
    study_say_made(&c, "--seed", attn_format(error, "%" PRIu64, run->seed));
    int failed = study_command_run(&c, error);
    study_command_free(&c);
    return failed;
}

static int evaluate(const study_runs *r, const study_run *run, const char *split, bool stream,
                    attn_error *error) {
    study_command c = {.words = {r->program, "evaluate", "--format", "json"}, .count = 4};
    study_say_made(&c, "--config", study_run_path(r, run, "model.yaml", error));
    study_say_made(&c, "--weights", study_run_path(r, run, "model.safetensors", error));
    study_say_made(&c, "--units", study_run_path(r, run, "units.txt", error));
    study_say_made(&c, "--data", data_of(r, run, error));
    study_say_made(&c, "--split", attn_strdup(split, error));
    if (stream) {
        study_say_made(&c, "--chunk", attn_format(error, "%zu", r->plan->stream_chunk));
        study_say_made(&c, "--left-chunks", attn_format(error, "%ld", r->plan->stream_left_chunks));
    }
    char *file = attn_format(error, "%s%s.json", split, stream ? "-stream" : "");
    char *path = file ? study_run_path(r, run, file, error) : NULL;
    int failed = path ? study_command_write(&c, path, error) : -1;
    attn_free(path);
    attn_free(file);
    study_command_free(&c);
    return failed;
}

static int evaluate_all(const study_runs *r, const study_run *run, attn_error *error) {
    char *split = NULL;
    bool is_dev;
    int failed = 0;
    for (size_t n = 0; !failed && !(failed = study_run_split(&split, &is_dev, r, run, n, error)) && split;
         n++) {
        failed = evaluate(r, run, split, false, error) ||
                 (r->plan->stream_chunk && evaluate(r, run, split, true, error));
        attn_free(split);
    }
    return failed ? -1 : 0;
}

static int write_text(const study_runs *r, const study_run *run, const char *file, const char *text,
                      attn_error *error) {
    char *path = study_run_path(r, run, file, error);
    int failed = path ? attn_write_file(path, text, strlen(text), error) : -1;
    attn_free(path);
    return failed;
}

/* Files that a killed process had begun. Nobody else may be at work in the folder. */
static void remove_unfinished(const char *folder) {
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (strstr(entry->d_name, ".tmp."))
            unlinkat(dirfd(open), entry->d_name, 0);
    if (open)
        closedir(open);
}

int study_features_tidy(const study_runs *r, attn_error *error) {
    char *folder = features_folder(r, error);
    if (folder)
        remove_unfinished(folder);
    attn_free(folder);
    return folder ? 0 : -1;
}

int study_run_do(const study_runs *r, const study_run *run, attn_error *error) {
    char name[HASH_NAME + 1];
    char *folder = study_run_path(r, run, "", error);
    int failed = folder ? attn_make_folder(folder, error) : -1;
    if (!failed)
        remove_unfinished(folder);
    attn_free(folder);
    study_run_identity(name, r, run);
    strcat(name, "\n");
    return failed || write_text(r, run, "config.yaml", run->kind->yaml, error) || train(r, run, error) ||
                   evaluate_all(r, run, error) || write_text(r, run, "done.txt", name, error)
               ? -1
               : 0;
}

/* ---- Time and cache bytes, which are those of the shape and not of the weights ---- */

char *study_latency_path(const study_runs *r, const study_kind *kind, bool stream, attn_error *error) {
    return attn_format(error, "%s/latency/%s-%s.json", r->out, kind->shape, stream ? "stream" : "whole");
}

static int profile(const study_runs *r, const study_run *run, bool stream, attn_error *error) {
    const study_latency *l = &r->plan->latency;
    study_command c = {.words = {r->program, "profile-kv", "--format", "json"}, .count = 4};
    study_say_made(&c, "--config", study_run_path(r, run, "model.yaml", error));
    study_say_made(&c, "--weights", study_run_path(r, run, "model.safetensors", error));
    study_say_made(&c, "--seq-len", attn_format(error, "%zu", l->frames));
    study_say_made(&c, "--runs", attn_format(error, "%zu", l->runs));
    if (stream) {
        study_say_made(&c, "--chunk", attn_format(error, "%zu", l->chunk));
        study_say_made(&c, "--left-chunks", attn_format(error, "%ld", l->left_chunks));
    }
    char *path = study_latency_path(r, run->kind, stream, error);
    int failed = path ? study_command_write(&c, path, error) : -1;
    attn_free(path);
    study_command_free(&c);
    return failed;
}

int study_shape_profile(const study_runs *r, const study_run *run, attn_error *error) {
    char *folder = attn_format(error, "%s/latency", r->out);
    int failed = !folder || attn_make_folder(folder, error) || profile(r, run, true, error) ||
                 profile(r, run, false, error);
    attn_free(folder);
    return failed ? -1 : 0;
}
