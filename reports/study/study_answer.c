#include "reports/study/study_answer.h"

#include "attn/alloc.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/data/case_names.h"
#include "reports/study/study_label.h"

#include <math.h>
#include <string.h>

static bool is_tuned(const json_t *row) {
    return json_text_is(row, "origin", "fine_tuned") && !isnan(json_number(row, "wer_change"));
}

/* How far its cache is from a quarter; of alike ones mla comes first, as in the rest of the page. */
static double distance(const json_t *row) {
    return fabs(json_number(row, "cache_percent") - 25) -
           (json_text_is(row, "attention_type", "mla") ? 1e-6 : 0);
}

const json_t *study_quarter(const study_data *d) {
    const json_t *best = NULL, *row;
    size_t i;
    json_array_foreach(d->models, i, row) {
        if (!is_tuned(row) || !(json_number(row, "cache_percent") < 100))
            continue;
        if (!best || (json_text_is(row, "model", json_text(best, "model")) && distance(row) < distance(best)))
            best = row;
    }
    return best;
}

/* The tuned row's control: mha of the same model that trained as long. */
static const json_t *control_of(const study_data *d, const json_t *tuned) {
    const json_t *row;
    size_t i;
    json_array_foreach(d->models, i, row) {
        if (json_text_is(row, "model", json_text(tuned, "model")) && json_text_is(row, "origin", "control") &&
            json_number(row, "epochs_in_all") == json_number(tuned, "epochs_in_all"))
            return row;
    }
    return NULL;
}

static const char *amount(char *text, size_t size, const study_data *d) {
    const json_t *train = json_array_get(json_object_get(d->root, "splits"), 0);
    snprintf(text, size, "trained on %.3g minutes of %s", json_number(train, "seconds") / 60,
             d->synthetic ? "SYNTHETIC speech" : "speech");
    return text;
}

void study_answer(const study_data *d, char lead[STUDY_ANSWER], char text[STUDY_ANSWER]) {
    const json_t *row = study_quarter(d);
    char of[80];
    *text = '\0';
    if (!row) {
        snprintf(lead, STUDY_ANSWER, "In recognition: a study, without a tuned model of a smaller cache.");
        return;
    }
    char type[CASE_NAME];
    type_name(type, sizeof type, json_text(row, "attention_type"));
    double low = json_number(row, "wer_change_low"), high = json_number(row, "wer_change_high");
    if (low > 0 || high < 0)
        snprintf(lead, STUDY_ANSWER,
                 "In recognition: %s costs %+.1f points of word error rate with %.3g%% of the cache%s.", type,
                 json_number(row, "wer_change"), json_number(row, "cache_percent"),
                 d->synthetic ? " (synthetic speech)" : "");
    else
        snprintf(lead, STUDY_ANSWER,
                 "In recognition: no difference found between MHA and %s with %.3g%% of the cache%s.", type,
                 json_number(row, "cache_percent"), d->synthetic ? " (synthetic speech)" : "");
    char *label = study_label(row, NULL);
    text_append(text, STUDY_ANSWER,
                "A small %s (%.0f layers, d_model %.0f), %s: %s, has %.2f%% WER (%.2f to %.2f), %+.2f points "
                "(%+.2f to %+.2f, p = %.2g, paired) against %s; %.0f test utterances, %.0f seed%s.",
                json_text(row, "model_type"), json_number(row, "num_layers"), json_number(row, "d_model"),
                amount(of, sizeof of, d), label ? label : "", json_number(row, "wer_percent"),
                json_number(row, "wer_low_percent"), json_number(row, "wer_high_percent"),
                json_number(row, "wer_change"), low, high, json_number(row, "wer_p"),
                json_text(row, "reference"), json_number(row, "utterances"), json_number(row, "runs"),
                json_number(row, "runs") == 1 ? "" : "s");
    attn_free(label);
}

double study_wer_at(const study_data *d, const char *type, double share) {
    const json_t *quarter = study_quarter(d), *row;
    size_t i;
    if (!quarter)
        return NAN;
    if (!strcmp(type, "mha"))
        return json_number(control_of(d, quarter), "wer_percent");
    json_array_foreach(d->models, i, row) {
        if (is_tuned(row) && json_text_is(row, "model", json_text(quarter, "model")) &&
            json_text_is(row, "attention_type", type) &&
            json_number(row, "epochs_in_all") == json_number(quarter, "epochs_in_all") &&
            fabs(json_number(row, "cache_percent") / 100 - share) < 0.01 * share)
            return json_number(row, "wer_percent");
    }
    return NAN;
}
