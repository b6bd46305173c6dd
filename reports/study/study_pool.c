#include "reports/study/study_pool.h"

#include "attn/alloc.h"
#include "base/statistics/paired.h"
#include "base/text/json.h"
#include "datasets/word_errors.h"

#include <string.h>

enum { SEED = 1 };

static bool is_of(const json_t *run, const char *kind) {
    return !strcmp(json_text(run, "kind"), kind) && !json_is_true(json_object_get(run, "failed"));
}

/* Where the utterance is in the pool; a new one is put at its end. */
static size_t place_of(study_pool *p, const json_t *run, const json_t *evaluation, const char *id) {
    char key[400];
    snprintf(key, sizeof key, "%.60s/%.60s/%.200s", json_text(run, "without"), json_text(evaluation, "split"),
             id);
    json_t *place = json_object_get(p->places, key);
    if (place)
        return (size_t)json_integer_value(place);
    json_object_set_new(p->places, key, json_integer((json_int_t)p->count));
    return p->count++;
}

static double number_at(const json_t *utterances, const char *key, size_t i) {
    return json_number_value(json_array_get(json_object_get(utterances, key), i));
}

static void add_evaluation(study_pool *p, const json_t *run, const json_t *evaluation) {
    const json_t *utterances = json_object_get(evaluation, "utterances");
    const json_t *ids = json_object_get(utterances, "id");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        size_t at = place_of(p, run, evaluation, json_string_value(json_array_get(ids, i)));
        p->errors[at] += number_at(utterances, "errors", i);
        p->words[at] += number_at(utterances, "words", i);
        p->losses[at] += number_at(utterances, "loss", i);
        p->times[at]++;
    }
}

bool study_is_heard(const json_t *evaluation, study_heard heard) {
    bool dev = json_is_true(json_object_get(evaluation, "dev"));
    if (json_is_true(json_object_get(evaluation, "stream")) != (heard == STUDY_TEST_STREAM))
        return false;
    return heard == STUDY_DEV_AND_TEST || dev == (heard == STUDY_DEV);
}

static size_t most_utterances(const json_t *runs, const char *kind, study_heard heard) {
    size_t count = 0, i, j;
    json_t *run, *evaluation;
    json_array_foreach(runs, i, run) {
        json_array_foreach(json_object_get(run, "evaluations"), j, evaluation) {
            if (is_of(run, kind) && study_is_heard(evaluation, heard))
                count += json_array_size(json_at(evaluation, "utterances.id"));
        }
    }
    return count;
}

int study_pool_make(study_pool *p, const json_t *runs, const char *kind, study_heard heard,
                    attn_error *error) {
    size_t most = most_utterances(runs, kind, heard), i, j;
    json_t *run, *evaluation;
    *p = (study_pool){.places = json_object(),
                      .errors = attn_alloc(most, sizeof *p->errors, "utterances", error),
                      .words = attn_alloc(most, sizeof *p->words, "utterances", error),
                      .losses = attn_alloc(most, sizeof *p->losses, "utterances", error),
                      .times = attn_alloc(most, sizeof *p->times, "utterances", error)};
    if (!p->places || !p->errors || !p->words || !p->losses || !p->times)
        return attn_no_memory(error, "utterances");
    json_array_foreach(runs, i, run) {
        if (!is_of(run, kind))
            continue;
        p->runs++;
        json_array_foreach(json_object_get(run, "evaluations"), j, evaluation) {
            if (study_is_heard(evaluation, heard))
                add_evaluation(p, run, evaluation);
        }
    }
    return 0;
}

void study_pool_free(study_pool *p) {
    json_decref(p->places);
    attn_free(p->errors);
    attn_free(p->words);
    attn_free(p->losses);
    attn_free(p->times);
    *p = (study_pool){0};
}

static double sum(const double *x, size_t n) {
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += x[i];
    return total;
}

static void set(json_t *row, const char *key, double value) {
    json_object_set_new(row, key, json_finite(value));
}

int study_pool_describe(const study_pool *p, json_t *row, attn_error *error) {
    double interval[2];
    word_errors *each = attn_alloc(p->count, sizeof *each, "errors", error);
    if (!each)
        return -1;
    for (size_t i = 0; i < p->count; i++)
        each[i] = (word_errors){.substitutions = (size_t)p->errors[i], .words = (size_t)p->words[i]};
    int failed = p->count ? word_errors_interval(interval, each, p->count, SEED, error) : 0;
    attn_free(each);
    if (failed || !p->count)
        return failed;
    set(row, "wer_percent", 100 * sum(p->errors, p->count) / sum(p->words, p->count));
    set(row, "wer_low_percent", interval[0]);
    set(row, "wer_high_percent", interval[1]);
    set(row, "loss", sum(p->losses, p->count) / sum(p->times, p->count));
    return 0;
}

/* ---- Two pools, on the utterances of both ---- */

typedef struct pairs {
    double *a, *b, *weight; /* means over the runs */
    size_t count;
} pairs;

static void take(pairs *to, const study_pool *a, const study_pool *b, bool losses) {
    const char *key;
    json_t *place;
    to->count = 0;
    json_object_foreach(b->places, key, place) {
        const json_t *other = json_object_get(a->places, key);
        if (!other)
            continue;
        size_t i = (size_t)json_integer_value(other), j = (size_t)json_integer_value(place);
        to->a[to->count] = (losses ? a->losses[i] : 100 * a->errors[i]) / a->times[i];
        to->b[to->count] = (losses ? b->losses[j] : 100 * b->errors[j]) / b->times[j];
        to->weight[to->count++] = losses ? 1 : b->words[j] / b->times[j];
    }
}

static int compare(pairs *with, const study_pool *p, const study_pool *reference, bool losses, json_t *row,
                   attn_error *error) {
    static const char *const keys[2][4] = {{"wer_change", "wer_change_low", "wer_change_high", "wer_p"},
                                           {"loss_change", "loss_change_low", "loss_change_high", "loss_p"}};
    paired_change c;
    take(with, reference, p, losses);
    if (paired_bootstrap(&c, with->a, with->b, with->weight, with->count, SEED, error))
        return -1;
    const double values[] = {c.difference, c.low, c.high, c.p};
    for (size_t i = 0; i < 4; i++)
        set(row, keys[losses][i], values[i]);
    return 0;
}

int study_pool_compare(const study_pool *p, const study_pool *reference, json_t *row, attn_error *error) {
    pairs with = {.a = attn_alloc(p->count, sizeof *with.a, "pairs", error),
                  .b = attn_alloc(p->count, sizeof *with.b, "pairs", error),
                  .weight = attn_alloc(p->count, sizeof *with.weight, "pairs", error)};
    int failed = !with.a || !with.b || !with.weight || compare(&with, p, reference, false, row, error) ||
                 compare(&with, p, reference, true, row, error);
    attn_free(with.a);
    attn_free(with.b);
    attn_free(with.weight);
    return failed ? -1 : 0;
}
