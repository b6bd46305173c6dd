#include "reports/study/study_data.h"

#include "attn/alloc.h"
#include "base/home.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/study/study_pool.h"
#include "reports/study/study_rows.h"

static const size_t FILE_LIMIT = (size_t)1 << 30;

/* ---- Checks of a file that anybody may have changed ---- */

static int check_list(const json_t *root, const char *key, const char *const *texts, const char *name,
                      attn_error *error) {
    const json_t *list = json_object_get(root, key);
    size_t i;
    json_t *row;
    if (!json_is_array(list) || !json_array_size(list))
        return attn_fail(error, "%s: %s: expected a list, as attnbench study writes it", name, key);
    json_array_foreach(list, i, row) {
        for (size_t k = 0; texts[k]; k++)
            if (!json_is_string(json_object_get(row, texts[k])))
                return attn_fail(error, "%s: %s %zu: %s: expected text", name, key, i, texts[k]);
    }
    return 0;
}

static int check(const json_t *root, const char *name, attn_error *error) {
    static const char *const kinds[] = {"kind",           "shape",  "model", "model_type",
                                        "attention_type", "origin", NULL};
    static const char *const runs[] = {"run", "kind", NULL}, *const splits[] = {"split", NULL};
    return check_list(root, "kinds", kinds, name, error) || check_list(root, "runs", runs, name, error) ||
                   check_list(root, "splits", splits, name, error)
               ? -1
               : 0;
}

/* ---- Which speech the results are of ---- */

static void list_splits(char *list, size_t size, const json_t *run, study_heard heard) {
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(run, "evaluations"), i, e) {
        if (study_is_heard(e, heard))
            text_list(list, size, " and ", "%.40s", json_text(e, "split"));
    }
}

static const json_t *finished_run(const json_t *root) {
    size_t i;
    const json_t *run;
    json_array_foreach(json_object_get(root, "runs"), i, run) {
        if (!json_is_true(json_object_get(run, "failed")))
            return run;
    }
    return NULL;
}

static void say_heard(study_data *d) {
    char test[120] = "", dev[60] = "";
    const json_t *run = finished_run(d->root);
    list_splits(test, sizeof test, run, STUDY_TEST);
    list_splits(dev, sizeof dev, run, STUDY_DEV);
    if (!run)
        return;
    if (json_is_true(json_object_get(d->root, "folds")))
        text_append(d->heard, sizeof d->heard,
                    "WER and loss are those of each speaker with models trained without that speaker.");
    else if (*dev)
        text_append(
            d->heard, sizeof d->heard,
            "WER and loss are those of %s, without %s, which judges each epoch; nothing was chosen on %s.",
            test, dev, test);
    else
        text_append(d->heard, sizeof d->heard, "WER and loss are those of %s%s.", test,
                    json_text_is(d->root, "dev", test)
                        ? ", which judges each epoch too; nothing was chosen on it"
                        : "");
}

/* ---- All of it ---- */

static int read_published(study_data *d, attn_error *error) {
    char *path = home_path("reports/paper/results.json", error);
    d->published = path ? json_read_file(path, FILE_LIMIT, error) : NULL;
    attn_free(path);
    return d->published ? 0 : -1;
}

int study_data_make(study_data *d, json_t *root, const char *name, attn_error *error) {
    size_t i;
    json_t *kind, *run;
    *d = (study_data){.root = root, .models = json_array(), .runs = json_array()};
    if (!d->models || !d->runs)
        return attn_no_memory(error, name);
    if (check(root, name, error) || read_published(d, error))
        return -1;
    d->synthetic = json_is_string(json_object_get(root, "synthetic"));
    d->speech = d->synthetic ? "synthetic speech" : "speech";
    const study_source from = {json_object_get(root, "kinds"), json_object_get(root, "runs"), d->speech};
    json_array_foreach(from.kinds, i, kind) {
        if (json_array_append_new(d->models, study_row_of_kind(&from, kind, error)))
            return attn_no_memory(error, name);
    }
    study_rows_add_shares(d->models);
    say_heard(d);
    json_array_foreach(from.runs, i, run) {
        json_array_append_new(d->runs, study_row_of_run(&from, run));
    }
    return 0;
}

int study_data_read(study_data *d, const char *folder, attn_error *error) {
    *d = (study_data){0};
    char *path = attn_format(error, "%s/study.json", folder);
    json_t *root = path ? json_read_file(path, FILE_LIMIT, error) : NULL;
    int failed = root ? study_data_make(d, root, path, error) : -1;
    attn_free(path);
    return failed;
}

void study_data_free(study_data *d) {
    for (size_t i = 0; i < d->figure_count; i++) {
        json_decref(d->figures[i].marks);
        attn_free(d->figures[i].svg);
    }
    attn_free(d->figures);
    json_decref(d->published);
    json_decref(d->models);
    json_decref(d->runs);
    json_decref(d->root);
    *d = (study_data){0};
}
