#include "reports/study/study_result.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "build_info.h"
#include "harness/machine/machine.h"
#include "harness/study/study_work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const size_t FILE_LIMIT = (size_t)256 << 20;

static json_t *read_of_run(const study_runs *r, const study_run *run, const char *file, attn_error *error) {
    char *path = study_run_path(r, run, file, error);
    json_t *value = path ? json_read_file(path, FILE_LIMIT, error) : NULL;
    attn_free(path);
    return value;
}

/* Adds the epochs of a file to the list. */
static int read_epochs(json_t *list, const char *path, attn_error *error) {
    char *text = attn_read_file(path, FILE_LIMIT, NULL, error), *next = text;
    int result = text ? 0 : -1;
    for (size_t number = 1; !result && next && *next; number++) {
        char *line = strsep(&next, "\n");
        if (*line && json_array_append_new(list, json_loads(line, 0, NULL)))
            result = attn_fail(error, "%s:%zu: expected JSON, an epoch a line", path, number);
    }
    attn_free(text);
    return result;
}

/* log.jsonl as a list; without the file an empty one. */
static json_t *read_log(const study_runs *r, const study_run *run, attn_error *error) {
    char *path = study_run_path(r, run, "log.jsonl", error);
    json_t *list = path ? json_array() : NULL;
    if (path && !list)
        attn_no_memory(error, path);
    if (list && !access(path, F_OK) && read_epochs(list, path, error)) {
        json_decref(list);
        list = NULL;
    }
    attn_free(path);
    return list;
}

/* ---- Results of one run ---- */

/* What the pages need of an evaluation; hypotheses stay in its file. */
static json_t *shorten(const json_t *evaluation, const char *split, bool is_dev, bool stream) {
    static const char *const kept[] = {
        "wer_percent", "wer_low_percent", "wer_high_percent", "cer_percent", "characters", "character_errors",
        "words",       "substitutions",   "deletions",        "insertions",  "loss",       "infeasible",
        "rtf",         "audio_seconds",   "kv_bytes_live"};
    json_t *o = json_pack("{s:s, s:b, s:b}", "split", split, "dev", is_dev, "stream", stream);
    json_t *ids = json_array(), *errors = json_array(), *words = json_array(), *losses = json_array();
    size_t i;
    json_t *u;
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++)
        json_object_set(o, kept[k], json_object_get(evaluation, kept[k]));
    json_array_foreach(json_object_get(evaluation, "utterances"), i, u) {
        json_array_append(ids, json_object_get(u, "id"));
        json_array_append(errors, json_object_get(u, "errors"));
        json_array_append(words, json_object_get(u, "words"));
        json_array_append(losses, json_object_get(u, "loss"));
    }
    json_object_set_new(
        o, "utterances",
        json_pack("{s:o, s:o, s:o, s:o}", "id", ids, "errors", errors, "words", words, "loss", losses));
    return o;
}

static int add_evaluation(json_t *list, const study_runs *r, const study_run *run, const char *split,
                          bool is_dev, bool stream, attn_error *error) {
    char *file = attn_format(error, "%s%s.json", split, stream ? "-stream" : "");
    json_t *evaluation = file ? read_of_run(r, run, file, error) : NULL;
    int failed =
        !evaluation || json_array_append_new(list, shorten(evaluation, split, is_dev, stream)) ? -1 : 0;
    json_decref(evaluation);
    attn_free(file);
    return failed;
}

static json_t *evaluations(const study_runs *r, const study_run *run, attn_error *error) {
    json_t *list = json_array();
    char *split = NULL;
    bool is_dev;
    int failed = 0;
    for (size_t n = 0; !failed && !(failed = study_run_split(&split, &is_dev, r, run, n, error)) && split;
         n++) {
        failed = add_evaluation(list, r, run, split, is_dev, false, error) ||
                 (r->plan->stream_chunk && add_evaluation(list, r, run, split, is_dev, true, error));
        attn_free(split);
    }
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *run_json(const study_runs *r, const study_run *run, attn_error *error) {
    json_t *o = json_pack("{s:s, s:s, s:I, s:b}", "run", run->name, "kind", run->kind->name, "seed",
                          (json_int_t)run->seed, "failed", run->state != STUDY_DONE);
    if (run->speaker != STUDY_NONE)
        json_object_set_new(o, "without", utf8_json(r->corpus->speakers[run->speaker]));
    if (run->state != STUDY_DONE) {
        json_object_set_new(o, "why", utf8_json(run->why));
        return o;
    }
    json_t *log = read_log(r, run, error), *heard = log ? evaluations(r, run, error) : NULL;
    if (!heard) {
        json_decref(log);
        json_decref(o);
        return NULL;
    }
    json_object_set_new(o, "log", log);
    json_object_set_new(o, "evaluations", heard);
    return o;
}

/* ---- Kinds ---- */

/* null where there is no profile yet; NULL and an error for one that cannot be read. */
static json_t *profile_json(const study_runs *r, const study_kind *k, bool stream, attn_error *error) {
    char *path = study_latency_path(r, k, stream, error);
    bool there = path && !access(path, F_OK);
    json_t *profile = there ? json_read_file(path, FILE_LIMIT, error) : NULL;
    attn_free(path);
    if (!path || (there && !profile))
        return NULL;
    json_t *first = json_array_get(json_object_get(profile, "utterances"), 0);
    json_t *o = NULL;
    if (first) {
        double frames = json_number(first, "output_frames"), chunk = (double)r->plan->latency.chunk;
        double calls = stream ? (double)(size_t)((frames + chunk - 1) / chunk) : 1;
        o = json_pack("{s:O, s:O, s:o, s:o, s:O, s:O}", "kv_bytes_formula",
                      json_object_get(first, "kv_bytes_formula"), "kv_bytes_live",
                      json_object_get(first, "kv_bytes_live"), "calls", json_finite(calls), "seconds_a_call",
                      json_finite(json_number(first, "seconds") / calls), "seconds",
                      json_object_get(first, "seconds"), "parameters",
                      json_object_get(json_object_get(profile, "model"), "parameters"));
    }
    json_decref(profile);
    return o ? o : json_null();
}

static json_t *kind_json(const study_runs *r, const study_kind *k, attn_error *error) {
    const attn_config *c = &k->config;
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "kind", k->name, "shape", k->shape,
        "model", k->model, "model_type", attn_model_type_names[c->model_type], "attention_type",
        c->variant->name, "origin", study_origin_names[k->origin], "d_model",
        (json_int_t)c->attention.d_model, "num_heads", (json_int_t)c->attention.num_heads, "num_layers",
        (json_int_t)c->num_layers, "conv_kernel_size", (json_int_t)c->conv_kernel_size, "epochs",
        (json_int_t)k->epochs, "epochs_in_all", (json_int_t)study_kind_epochs(r->plan, k));
    if (k->learning_rate > 0)
        json_object_set_new(o, "learning_rate", json_real(k->learning_rate));
    if (study_has_own_rate(r->plan, k))
        json_object_set_new(o, "own_learning_rate", json_real(k->learning_rate));
    if (c->variant->has_latent)
        json_object_set_new(o, "latent_dim", json_integer((json_int_t)c->attention.latent_dim));
    if (c->variant->has_kv_heads)
        json_object_set_new(o, "num_kv_heads", json_integer((json_int_t)c->attention.num_kv_heads));
    if (k->base != STUDY_NONE)
        json_object_set_new(o, "begins_with", json_string(r->plan->kinds[k->base].name));
    if (study_attends(k) && (json_object_set_new(o, "stream", profile_json(r, k, true, error)) ||
                             json_object_set_new(o, "whole", profile_json(r, k, false, error)))) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* ---- All of it ---- */

static json_t *splits_json(const corpus_survey *c) {
    json_t *list = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:o}", "split", c->splits[i].name,
                                              "utterances", (json_int_t)c->splits[i].utterances, "speakers",
                                              (json_int_t)c->splits[i].speakers, "seconds",
                                              json_finite(c->splits[i].seconds)));
    return list;
}

/* The last part of its path, wherever it is called from. */
static json_t *name_of_folder(const char *folder) {
    char *whole = realpath(folder, NULL);
    json_t *name = whole ? utf8_json(strrchr(whole, '/') + 1) : json_null();
    free(whole);
    return name;
}

static json_t *about(const study_runs *r) {
    machine m;
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    machine_read(&m, NULL);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    const study_latency *l = &r->plan->latency;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s?, s:o, s:b, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I}}",
                     "study", r->plan->name, "summary", r->plan->summary, "commit", BUILD_COMMIT, "cpu",
                     m.cpu, "date", date, "corpus", name_of_folder(r->corpus->folder), "synthetic",
                     r->corpus->synthetic, "splits", splits_json(r->corpus), "folds", r->plan->folds,
                     "latency", "frames", (json_int_t)l->frames, "chunk", (json_int_t)l->chunk, "left_chunks",
                     (json_int_t)l->left_chunks, "runs", (json_int_t)l->runs, "streams", "chunk",
                     (json_int_t)r->plan->stream_chunk, "left_chunks",
                     (json_int_t)r->plan->stream_left_chunks);
}

json_t *study_results(const study_runs *r, attn_error *error) {
    json_t *o = about(r), *kinds = json_array(), *runs = json_array();
    int failed = !o;
    json_object_set_new(o, "train", json_string(r->plan->train));
    json_object_set_new(o, "dev", json_string(r->plan->dev));
    for (size_t k = 0; !failed && k < r->plan->count; k++)
        failed = json_array_append_new(kinds, kind_json(r, &r->plan->kinds[k], error));
    for (size_t i = 0; !failed && i < r->count; i++)
        failed = json_array_append_new(runs, run_json(r, &r->at[i], error));
    json_object_set_new(o, "kinds", kinds);
    json_object_set_new(o, "runs", runs);
    if (!failed)
        return o;
    json_decref(o);
    attn_no_memory(error, "results of the study"); /* the first error wins */
    return NULL;
}
