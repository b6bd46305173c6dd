#include "reports/study/study_answer.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/study/study_label.h"

#include <math.h>
#include <string.h>

/* ---- Rows ---- */

static bool is_compared(const json_t *row, const char *origin) {
    return json_text_is(row, "origin", origin) && !isnan(json_number(row, "wer_change"));
}

/* How far its cache is from a quarter; of equal ones mla comes first, as in the rest of the page. */
static double distance(const json_t *row) {
    return fabs(json_number(row, "cache_percent") - 25) -
           (json_text_is(row, "attention_type", "mla") ? 1e-6 : 0);
}

const json_t *study_quarter(const study_data *d) {
    const json_t *best = NULL, *row;
    size_t i;
    json_array_foreach(d->models, i, row) {
        if (!is_compared(row, "fine_tuned") || !(json_number(row, "cache_percent") < 100))
            continue;
        if (!best || (json_text_is(row, "model", json_text(best, "model")) && distance(row) < distance(best)))
            best = row;
    }
    return best;
}

/* The mha that the row is compared with, or NULL. */
static const json_t *reference_of(const study_data *d, const json_t *row) {
    const json_t *other;
    size_t i;
    json_array_foreach(d->models, i, other) {
        if (json_text_is(other, "kind", json_text(row, "reference_kind")))
            return other;
    }
    return NULL;
}

/* Its state has one size at every length, as linear's. */
static bool has_one_size(const json_t *row) {
    return isnan(json_number(row, "latent_dim")) && isnan(json_number(row, "num_kv_heads"));
}

/* Its cache is that share of mha's, to a percent of it. */
static bool has_share(const json_t *row, double share) {
    return has_one_size(row) || fabs(json_number(row, "cache_percent") / 100 - share) < 0.01 * share;
}

/* Tuned as long as the quarter. */
static const json_t *tuned_at(const study_data *d, const char *type, double share) {
    const json_t *quarter = study_quarter(d), *row;
    size_t i;
    json_array_foreach(d->models, i, row) {
        if (is_compared(row, "fine_tuned") && json_text_is(row, "attention_type", type) &&
            has_share(row, share) && json_text_is(row, "model", json_text(quarter, "model")) &&
            json_number(row, "epochs_in_all") == json_number(quarter, "epochs_in_all"))
            return row;
    }
    return NULL;
}

/* Of the first model. */
static const json_t *scratch_at(const study_data *d, const char *type, double share) {
    const char *model = json_text(json_array_get(d->models, 0), "model");
    const json_t *row;
    size_t i;
    json_array_foreach(d->models, i, row) {
        if (is_compared(row, "scratch") && json_text_is(row, "attention_type", type) &&
            has_share(row, share) && json_text_is(row, "model", model))
            return row;
    }
    return NULL;
}

static const json_t *small_at(const study_data *d, const char *type, double share) {
    const json_t *tuned = tuned_at(d, type, share);
    return tuned ? tuned : scratch_at(d, type, share);
}

static bool is_tuned(const json_t *row) {
    return json_text_is(row, "origin", "fine_tuned");
}

static bool differs(const json_t *row) {
    return json_number(row, "wer_change_low") > 0 || json_number(row, "wer_change_high") < 0;
}

/* ---- Words ---- */

/* "MLA with a latent of 16" */
static void name_row(char text[CASE_NAME], const json_t *row) {
    double latent = json_number(row, "latent_dim"), heads = json_number(row, "num_kv_heads");
    const results_case c = {.type = json_text(row, "attention_type"),
                            .kv = "",
                            .dc = latent > 0 ? (size_t)latent : 0,
                            .hkv = heads > 0 ? (size_t)heads : 0,
                            .h = (size_t)json_integer_value(json_object_get(row, "num_heads"))};
    case_long_name(text, CASE_NAME, &c);
}

/* "49.7 minutes of speech (digits/train, 6 speakers, real speech as far as the corpus says)" */
static void say_speech(char *text, size_t size, const study_data *d) {
    const json_t *train = json_array_get(json_object_get(d->root, "splits"), 0);
    const char *corpus = json_text(d->root, "corpus");
    text_append(text, size, "%.3g minutes of %s (%s%s%s", json_number(train, "seconds") / 60,
                d->synthetic ? "SYNTHETIC speech" : "speech", corpus, *corpus ? "/" : "split ",
                json_text(train, "split"));
    if (json_number(train, "speakers") > 0)
        text_append(text, size, ", %.0f speaker%s", json_number(train, "speakers"),
                    json_number(train, "speakers") == 1 ? "" : "s");
    text_append(text, size, "%s)", d->synthetic ? "" : ", real speech as far as the corpus says");
}

/* "MLA with a latent of 16, tuned after conversion, has 4.07% WER (95%: 1.72 to 7.26), MHA trained as long 3.52%: +0.56
 * points (95%: -0.19 to +1.35, paired)." */
static void say_rates(char *text, size_t size, const json_t *row, const json_t *mha) {
    char name[CASE_NAME];
    name_row(name, row);
    text_append(text, size, "%s, tuned after conversion, has %.2f%% WER (95%%: %.2f to %.2f)", name,
                json_number(row, "wer_percent"), json_number(row, "wer_low_percent"),
                json_number(row, "wer_high_percent"));
    text_append(text, size, ", MHA %s %.2f%%: %+.2f points (95%%: %+.2f to %+.2f, paired).",
                json_text_is(mha, "origin", "control") ? "trained as long" : "before conversion",
                json_number(mha, "wer_percent"), study_points(row, "wer_change"),
                study_points(row, "wer_change_low"), study_points(row, "wer_change_high"));
}

void study_answer(const study_data *d, char lead[STUDY_ANSWER], char text[STUDY_ANSWER]) {
    const json_t *row = study_quarter(d);
    const char *synthetic = d->synthetic ? " (synthetic speech)" : "";
    char type[CASE_NAME], model[CASE_NAME];
    *text = '\0';
    if (!row) {
        snprintf(lead, STUDY_ANSWER, "In recognition: a study, without a tuned model of a smaller cache.");
        return;
    }
    type_name(type, sizeof type, json_text(row, "attention_type"));
    model_name(model, sizeof model, json_text(row, "model_type"));
    if (differs(row))
        snprintf(lead, STUDY_ANSWER,
                 "In recognition: %s costs %+.1f points of word error rate with %.3g%% of the KV cache%s.",
                 type, study_points(row, "wer_change"), json_number(row, "cache_percent"), synthetic);
    else
        snprintf(lead, STUDY_ANSWER,
                 "In recognition: no difference found between MHA and %s with %.3g%% of the KV cache%s.",
                 type, json_number(row, "cache_percent"), synthetic);
    say_rates(text, STUDY_ANSWER, row, reference_of(d, row));
    text_append(text, STUDY_ANSWER, " A small %s (%.0f layers, d_model %.0f), trained on ", model,
                json_number(row, "num_layers"), json_number(row, "d_model"));
    say_speech(text, STUDY_ANSWER, d);
    text_append(text, STUDY_ANSWER, ", %.0f test utterances, %.0f seed%s.", json_number(row, "utterances"),
                json_number(row, "runs"), json_number(row, "runs") == 1 ? "" : "s");
}

study_small study_small_at(const study_data *d, const char *type, double share) {
    study_small one = {.wer = NAN, .mha = NAN};
    const json_t *quarter = study_quarter(d), *control = reference_of(d, quarter);
    const json_t *row = strcmp(type, "mha") ? small_at(d, type, share) : NULL;
    if (row) {
        one.wer = json_number(row, "wer_percent");
        one.mha = json_number(reference_of(d, row), "wer_percent");
        one.shares = !has_one_size(row);
        one.tuned = is_tuned(row);
        name_row(one.name, row);
    } else if (!strcmp(type, "mha") && json_text_is(control, "origin", "control")) {
        one = (study_small){.tuned = true, .shares = true, .name = "MHA"};
        one.wer = one.mha = json_number(control, "wer_percent");
    }
    return one;
}

void study_price(char *text, size_t size, const study_data *d, const char *type, double share) {
    const json_t *row = small_at(d, type, share), *mha = reference_of(d, row);
    char name[CASE_NAME];
    if (!mha)
        return;
    name_row(name, row);
    text_append(text, size, " In the study %s,", name);
    if (!has_one_size(row))
        text_append(text, size, " the same share of the cache,");
    text_append(text, size, " %s,", is_tuned(row) ? "converted and tuned" : "trained from scratch");
    if (differs(row))
        text_append(text, size, " costs %+.2f points of WER", study_points(row, "wer_change"));
    else
        text_append(text, size, " shows no difference in WER");
    text_append(text, size, " (95%%: %+.2f to %+.2f; %.2f%%, MHA %.2f%%%s).",
                study_points(row, "wer_change_low"), study_points(row, "wer_change_high"),
                json_number(row, "wer_percent"), json_number(mha, "wer_percent"),
                d->synthetic ? "; synthetic speech" : "");
}
