#include "reports/paper/claims/study_file.h"

#include "base/text/json.h"
#include "base/text/utf8.h"

#include <math.h>
#include <string.h>

static json_t *find(const json_t *list, const char *key, const char *value) {
    size_t i;
    json_t *at;
    json_array_foreach(list, i, at) {
        if (!strcmp(json_text(at, key), value))
            return at;
    }
    return NULL;
}

static double sum_of(const json_t *evaluation, const char *const *keys) {
    double sum = 0;
    for (; *keys; keys++)
        sum += json_number(evaluation, *keys);
    return sum;
}

static void add_evaluations(json_t *flat, const json_t *run) {
    static const char *const errors[] = {"substitutions", "deletions", "insertions", NULL};
    double wrong = 0, words = 0, loss = 0, count = 0;
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(run, "evaluations"), i, one) {
        if (json_is_true(json_object_get(one, "stream")) || json_is_true(json_object_get(one, "dev")))
            continue;
        wrong += sum_of(one, errors);
        words += json_number(one, "words");
        loss += json_number(one, "loss");
        count++;
    }
    json_object_set_new(flat, "errors", json_finite(count > 0 ? wrong : NAN));
    json_object_set_new(flat, "words", json_finite(count > 0 ? words : NAN));
    json_object_set_new(flat, "loss", json_finite(count > 0 ? loss / count : NAN));
}

static void add_time(json_t *flat, const json_t *run) {
    double seconds = 0;
    size_t i, epochs = json_array_size(json_object_get(run, "log"));
    const json_t *epoch;
    json_array_foreach(json_object_get(run, "log"), i, epoch) {
        seconds += json_number(epoch, "seconds");
    }
    json_object_set_new(flat, "seconds_per_epoch", json_finite(epochs ? seconds / (double)epochs : NAN));
}

static json_t *flat_run(const json_t *run, const json_t *kind) {
    static const char *const of_kind[] = {"attention_type", "origin", "d_model",
                                          "latent_dim",     "epochs", "learning_rate"};
    json_t *flat = json_object();
    for (size_t i = 0; i < sizeof of_kind / sizeof *of_kind; i++)
        json_object_set(flat, of_kind[i], json_object_get(kind, of_kind[i]));
    json_object_set(flat, "seed", json_object_get(run, "seed"));
    add_evaluations(flat, run);
    add_time(flat, run);
    return flat;
}

/* "conformer, 3 layers, d_model 32, kernel 3; 49.7 minutes of speech (synthetic)" */
static json_t *size_words(const json_t *study, const json_t *kind) {
    const json_t *trained = find(json_object_get(study, "splits"), "split", json_text(study, "train"));
    return utf8_sprintf("%s, %.0f layers, d_model %.0f, kernel %.0f; trained on %.3g minutes of %sspeech",
                        json_text(kind, "model_type"), json_number(kind, "num_layers"),
                        json_number(kind, "d_model"), json_number(kind, "conv_kernel_size"),
                        json_number(trained, "seconds") / 60,
                        *json_text(study, "synthetic") ? "synthetic " : "");
}

static json_t *model_of(json_t *models, const json_t *study, const json_t *kind) {
    const char *name = json_text(kind, "model");
    json_t *found = find(models, "model", name);
    if (found)
        return found;
    json_array_append_new(models, json_pack("{s:o, s:o, s:[]}", "model", utf8_json(name), "size",
                                            size_words(study, kind), "runs"));
    return json_array_get(models, json_array_size(models) - 1);
}

json_t *study_by_model(const json_t *study, const char *name, attn_error *error) {
    const json_t *kinds = json_object_get(study, "kinds"), *runs = json_object_get(study, "runs"), *run;
    json_t *models = json_array();
    size_t i;
    if (!json_is_array(kinds) || !json_is_array(runs)) {
        attn_fail(error, "%s: found no lists \"kinds\" and \"runs\", expected what attnbench study writes",
                  name);
        json_decref(models);
        return NULL;
    }
    json_array_foreach(runs, i, run) {
        const json_t *kind = find(kinds, "kind", json_text(run, "kind"));
        if (kind && json_is_false(json_object_get(run, "failed")) && !json_object_get(run, "without"))
            json_array_append_new(json_object_get(model_of(models, study, kind), "runs"),
                                  flat_run(run, kind));
    }
    return models;
}
