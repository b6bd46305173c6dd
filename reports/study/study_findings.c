#include "reports/study/study_findings.h"

#include "attn/alloc.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/study/study_label.h"

#include <math.h>
#include <string.h>

static void say(json_t *list, const study_data *d, char *text) {
    if (text)
        json_array_append_new(list, json_sprintf("%s%s", d->synthetic ? "Synthetic speech: " : "", text));
    attn_free(text);
}

static const json_t *mha_of(const study_data *d, const char *model, const char *origin) {
    size_t i;
    json_t *row;
    json_array_foreach(d->models, i, row) {
        if (json_text_is(row, "model", model) && json_text_is(row, "attention_type", "mha") &&
            json_text_is(row, "origin", origin))
            return row;
    }
    return NULL;
}

/* How much differences between types mean here: what a model without attention loses, paired with mha, shows it. */
static const char *weight_of_attention(const json_t *mha, const json_t *without) {
    if (!(json_number(without, "wer_change_low") > 0))
        return "the rest of the model does nearly all of the work here, and differences between types say "
               "little";
    return json_number(without, "wer_percent") > 3 * json_number(mha, "wer_percent")
               ? "attention does much of the work here"
               : "attention does part of the work here";
}

static void say_attention(json_t *list, const study_data *d, const char *model) {
    const json_t *mha = mha_of(d, model, "scratch"), *off = mha_of(d, model, "no_attention"),
                 *without = mha_of(d, model, "without_attention");
    char text[400] = "";
    if (!mha || isnan(json_number(mha, "wer_percent")))
        return;
    if (off && !isnan(json_number(off, "wer_percent")))
        text_append(text, sizeof text, " With its attention switched off it is %.2f%%.",
                    json_number(off, "wer_percent"));
    if (without && !isnan(json_number(without, "wer_percent")))
        text_append(text, sizeof text, " Trained without attention it is %.2f%%: %s.",
                    json_number(without, "wer_percent"), weight_of_attention(mha, without));
    say(list, d,
        attn_format(NULL, "%s, mha from scratch: WER %.2f%% (%.2f to %.2f).%s", model,
                    json_number(mha, "wer_percent"), json_number(mha, "wer_low_percent"),
                    json_number(mha, "wer_high_percent"), text));
}

/* Where dev has results of its own the best one is chosen on it, so that its test result is no lucky one. */
static const char *choosing_key(const json_t *row) {
    return isnan(json_number(row, "dev_wer_percent")) ? "wer_percent" : "dev_wer_percent";
}

/* The least error rate among what saves at least that much. */
static const json_t *say_best(json_t *list, const study_data *d, const char *model, double most_percent,
                              const json_t *said) {
    const json_t *best = NULL;
    size_t i;
    json_t *row;
    json_array_foreach(d->models, i, row) {
        if (!json_text_is(row, "model", model) || !study_row_attends(row) ||
            isnan(json_number(row, "wer_change")) || !(json_number(row, "cache_percent") <= most_percent))
            continue;
        if (!best || json_number(row, choosing_key(row)) < json_number(best, choosing_key(best)))
            best = row;
    }
    if (!best || best == said)
        return best;
    char *label = study_label(best, NULL);
    say(list, d,
        attn_format(NULL,
                    "%s, least WER%s with at most %.1f%% of mha's cache: %s: %.2f%%, %+.2f points (%+.2f to "
                    "%+.2f) against %s.",
                    model, strcmp(choosing_key(best), "wer_percent") ? " of dev" : "", most_percent,
                    label ? label : "", json_number(best, "wer_percent"), study_points(best, "wer_change"),
                    study_points(best, "wer_change_low"), study_points(best, "wer_change_high"),
                    json_text(best, "reference")));
    attn_free(label);
    return best;
}

json_t *study_findings(const study_data *d) {
    json_t *list = json_array(), *row;
    size_t i;
    const char *before = "";
    json_array_foreach(d->models, i, row) {
        const char *model = json_text(row, "model");
        if (!strcmp(model, before))
            continue;
        before = model;
        say_attention(list, d, model);
        const json_t *said = NULL;
        static const double shares[] = {50, 25, 12.5};
        for (size_t k = 0; k < 3; k++)
            said = say_best(list, d, model, shares[k], said);
    }
    return list;
}
