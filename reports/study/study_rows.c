#include "reports/study/study_rows.h"

#include "attn/alloc.h"
#include "base/statistics/stats.h"
#include "base/text/json.h"
#include "reports/study/study_label.h"
#include "reports/study/study_pool.h"

#include <math.h>

/* ---- A row a model ---- */

static bool same(const json_t *a, const json_t *b, const char *key) {
    return json_text_is(a, key, json_text(b, key));
}

static double errors_of(const json_t *evaluation) {
    return json_number(evaluation, "substitutions") + json_number(evaluation, "deletions") +
           json_number(evaluation, "insertions");
}

/* What the kind is compared with. Tuned: the mha that trained as long, at the same learning rate where there is one. All
 * others: the mha from scratch. NULL: there is none, or it is the kind itself. */
static const json_t *reference_of(const json_t *kinds, const json_t *kind) {
    const json_t *scratch = NULL, *control = NULL;
    bool tuned = json_text_is(kind, "origin", "fine_tuned") || json_text_is(kind, "origin", "progressive");
    size_t i;
    json_t *other;
    json_array_foreach(kinds, i, other) {
        if (!same(kind, other, "model") || !json_text_is(other, "attention_type", "mha"))
            continue;
        if (json_text_is(other, "origin", "scratch"))
            scratch = other;
        if (tuned && json_text_is(other, "origin", "control") &&
            json_number(other, "epochs_in_all") == json_number(kind, "epochs_in_all") &&
            (!control || json_number(other, "learning_rate") == json_number(kind, "learning_rate")))
            control = other;
    }
    const json_t *found = control ? control : scratch;
    return found == kind ? NULL : found;
}

/* The standard deviation over seeds of the error rate, of the first SEEDS of them. */
static double deviation(const json_t *runs, const char *kind) {
    enum { SEEDS = 64 };
    double percents[SEEDS] = {0}, errors[SEEDS] = {0}, words[SEEDS] = {0};
    json_int_t seeds[SEEDS] = {0};
    size_t count = 0, i, j, s;
    json_t *run, *e;
    json_array_foreach(runs, i, run) {
        if (!json_text_is(run, "kind", kind) || json_is_true(json_object_get(run, "failed")))
            continue;
        json_int_t seed = json_integer_value(json_object_get(run, "seed"));
        for (s = 0; s < count && seeds[s] != seed; s++)
            ;
        if (s == SEEDS)
            continue;
        if (s == count)
            seeds[count++] = seed;
        json_array_foreach(json_object_get(run, "evaluations"), j, e) {
            if (study_is_heard(e, STUDY_TEST)) {
                errors[s] += errors_of(e);
                words[s] += json_number(e, "words");
            }
        }
    }
    for (s = 0; s < count; s++)
        percents[s] = 100 * errors[s] / words[s];
    stats_summary summary;
    return stats_summarize(&summary, percents, count, NULL) ? NAN : summary.sd;
}

/* The character error rate in percent: the errors of all runs over their characters. */
static double character_errors(const json_t *runs, const char *kind) {
    double errors = 0, characters = 0;
    size_t i, j;
    json_t *run, *e;
    json_array_foreach(runs, i, run) {
        json_array_foreach(json_object_get(run, "evaluations"), j, e) {
            if (json_text_is(run, "kind", kind) && study_is_heard(e, STUDY_TEST)) {
                errors += json_number(e, "character_errors");
                characters += json_number(e, "characters");
            }
        }
    }
    return 100 * errors / characters;
}

static void copy(json_t *row, const char *key, const json_t *from, const char *path) {
    json_t *value = (json_t *)json_at(from, path);
    if (value && !json_is_null(value))
        json_object_set(row, key, value);
}

static void copy_profile(json_t *row, const json_t *kind) {
    copy(row, "parameters", kind, "whole.parameters");
    copy(row, "kv_bytes", kind, "whole.kv_bytes_formula");
    copy(row, "kv_bytes_live", kind, "whole.kv_bytes_live");
    json_object_set_new(row, "chunk_ms",
                        json_finite(1e3 * json_number(json_object_get(kind, "stream"), "seconds_a_call")));
    json_object_set_new(row, "whole_ms",
                        json_finite(1e3 * json_number(json_object_get(kind, "whole"), "seconds")));
    if (!study_row_attends(kind))
        json_object_set_new(row, "kv_bytes", json_integer(0));
}

/* The speech comes first: a row that is taken out of its table still says what it is of. */
static json_t *new_row(const study_source *s, const json_t *kind) {
    json_t *row = json_pack("{s:s}", "speech", s->speech);
    static const char *const kept[] = {
        "model",   "model_type", "attention_type", "latent_dim",       "num_kv_heads",  "origin",
        "d_model", "num_heads",  "num_layers",     "conv_kernel_size", "epochs_in_all", "own_learning_rate",
        "kind"};
    for (size_t i = 0; row && i < sizeof kept / sizeof *kept; i++)
        copy(row, kept[i], kind, kept[i]);
    return row;
}

/* The error rate of other speech, under a key of its own. */
static int describe_other(const study_source *s, const char *kind, study_heard heard, json_t *row,
                          const char *key, attn_error *error) {
    study_pool pool = {0};
    json_t *described = json_object();
    int failed =
        study_pool_make(&pool, s->runs, kind, heard, error) || study_pool_describe(&pool, described, error);
    copy(row, key, described, "wer_percent");
    json_decref(described);
    study_pool_free(&pool);
    return failed ? -1 : 0;
}

static int describe_others(const study_source *s, const char *kind, json_t *row, attn_error *error) {
    return describe_other(s, kind, STUDY_DEV, row, "dev_wer_percent", error) ||
                   (json_object_get(row, "dev_wer_percent") &&
                    describe_other(s, kind, STUDY_DEV_AND_TEST, row, "both_wer_percent", error)) ||
                   describe_other(s, kind, STUDY_TEST_STREAM, row, "stream_wer_percent", error)
               ? -1
               : 0;
}

/* The change on dev and test together: twice the words, for those who need a narrower interval. */
static int compare_both(const study_source *s, const char *kind, const char *reference, json_t *row,
                        attn_error *error) {
    study_pool pool = {0}, other = {0};
    json_t *compared = json_object();
    int failed = study_pool_make(&pool, s->runs, kind, STUDY_DEV_AND_TEST, error) ||
                 study_pool_make(&other, s->runs, reference, STUDY_DEV_AND_TEST, error) ||
                 study_pool_compare(&pool, &other, compared, error);
    copy(row, "both_change", compared, "wer_change");
    copy(row, "both_change_low", compared, "wer_change_low");
    copy(row, "both_change_high", compared, "wer_change_high");
    json_decref(compared);
    study_pool_free(&pool);
    study_pool_free(&other);
    return failed ? -1 : 0;
}

static int compare(const study_source *s, const study_pool *pool, const json_t *kind, json_t *row,
                   attn_error *error) {
    study_pool other = {0};
    const json_t *reference = reference_of(s->kinds, kind);
    if (!reference || !pool->count)
        return 0;
    char *label = study_label(reference, error);
    json_object_set_new(row, "reference", json_string(label ? label : ""));
    attn_free(label);
    copy(row, "reference_kind", reference, "kind");
    const char *against = json_text(reference, "kind");
    int failed = study_pool_make(&other, s->runs, against, STUDY_TEST, error) ||
                 study_pool_compare(pool, &other, row, error) ||
                 (json_object_get(row, "dev_wer_percent") &&
                  compare_both(s, json_text(kind, "kind"), against, row, error));
    study_pool_free(&other);
    return failed ? -1 : 0;
}

json_t *study_row_of_kind(const study_source *s, const json_t *kind, attn_error *error) {
    const json_t *runs = s->runs;
    const char *name = json_text(kind, "kind");
    json_t *row = new_row(s, kind);
    study_pool pool = {0};
    if (!row) {
        attn_no_memory(error, "study");
        return NULL;
    }
    int failed =
        study_pool_make(&pool, runs, name, STUDY_TEST, error) || study_pool_describe(&pool, row, error);
    json_object_set_new(row, "runs", json_integer((json_int_t)pool.runs));
    json_object_set_new(row, "utterances", json_integer((json_int_t)pool.count));
    json_object_set_new(row, "wer_sd", json_finite(deviation(runs, name)));
    json_object_set_new(row, "cer_percent", json_finite(character_errors(runs, name)));
    copy_profile(row, kind);
    if (!failed)
        failed = describe_others(s, name, row, error) || compare(s, &pool, kind, row, error);
    study_pool_free(&pool);
    if (!failed)
        return row;
    json_decref(row);
    return NULL;
}

/* Bytes of each against those of the mha of its model. */
void study_rows_add_shares(json_t *models) {
    size_t i, j;
    json_t *row, *other;
    json_array_foreach(models, i, row) {
        json_array_foreach(models, j, other) {
            if (same(row, other, "model") && json_text_is(other, "attention_type", "mha") &&
                json_text_is(other, "origin", "scratch"))
                json_object_set_new(
                    row, "cache_percent",
                    json_finite(100 * json_number(row, "kv_bytes") / json_number(other, "kv_bytes")));
        }
    }
}

/* ---- A row a run ---- */

typedef struct run_sums {
    double errors, words, loss, utterances;
} run_sums;

static run_sums sums_of(const json_t *run, study_heard heard) {
    run_sums s = {0};
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(run, "evaluations"), i, e) {
        if (!study_is_heard(e, heard))
            continue;
        double n = (double)json_array_size(json_at(e, "utterances.id"));
        s.errors += errors_of(e);
        s.words += json_number(e, "words");
        s.loss += n * json_number(e, "loss");
        s.utterances += n;
    }
    return s;
}

json_t *study_row_of_run(const study_source *s, const json_t *run) {
    json_t *row = json_pack("{s:s}", "speech", s->speech);
    const json_t *log = json_object_get(run, "log"), *last = json_array_get(log, json_array_size(log) - 1);
    run_sums test = sums_of(run, STUDY_TEST), dev = sums_of(run, STUDY_DEV);
    double seconds = 0;
    for (size_t j = 0; j < json_array_size(log); j++)
        seconds += json_number(json_array_get(log, j), "seconds");
    copy(row, "run", run, "run");
    copy(row, "seed", run, "seed");
    copy(row, "without", run, "without");
    copy(row, "why", run, "why");
    json_object_set_new(row, "epochs", json_integer((json_int_t)json_array_size(log)));
    json_object_set_new(row, "seconds", json_finite(seconds));
    copy(row, "peak_bytes", last, "peak_bytes");
    json_object_set_new(row, "wer_percent", json_finite(100 * test.errors / test.words));
    json_object_set_new(row, "dev_wer_percent", json_finite(100 * dev.errors / dev.words));
    json_object_set_new(row, "loss", json_finite(test.loss / test.utterances));
    return row;
}
