#include "reports/study/study_published.h"

#include "attn/alloc.h"
#include "base/text/json.h"
#include "reports/study/study_label.h"

/* How well a model fits the cell; 0: not at all. */
static int fit(const json_t *model, const json_t *published) {
    static const char *const origins[] = {"fine_tuned", "scratch", "converted"};
    if (!json_text_is(model, "model_type", json_text(published, "model_type")) ||
        !json_text_is(model, "attention_type", json_text(published, "attention_type")))
        return 0;
    if (json_text_is(published, "attention_type", "mha"))
        return json_text_is(model, "origin", "scratch");
    if (json_number(model, "latent_dim") != json_number(model, "d_model"))
        return 0;
    for (int i = 0; i < 3; i++)
        if (json_text_is(model, "origin", origins[i]))
            return 3 - i;
    return 0;
}

static const json_t *best_fit(const study_data *d, const json_t *published) {
    const json_t *best = NULL;
    size_t i;
    json_t *model;
    json_array_foreach(d->models, i, model) {
        if (fit(model, published) > (best ? fit(best, published) : 0))
            best = model;
    }
    return best;
}

static json_t *row_of(const study_data *d, const json_t *published) {
    static const char *const copied[] = {"wer_percent", "wer_low_percent", "wer_high_percent",
                                         "wer_change",  "wer_change_low",  "wer_change_high",
                                         "kv_bytes",    "cache_percent",   "whole_ms"};
    const json_t *model = best_fit(d, published);
    char *label = model ? study_label(model, NULL) : NULL;
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s?, s:s}", "speech", d->speech, "model",
                  json_text(published, "model_type"), "attention", json_text(published, "attention_type"),
                  "published_wer", json_text(published, "wer"), "published_cache_mb",
                  json_text(published, "cache_mb"), "published_seconds", json_text(published, "seconds"),
                  "only_expected", json_is_true(json_object_get(published, "expected")), "measured", label,
                  "of", model ? json_text(model, "model") : "");
    attn_free(label);
    for (size_t i = 0; row && model && i < sizeof copied / sizeof *copied; i++)
        json_object_set(row, copied[i], json_object_get(model, copied[i]));
    return row;
}

void study_published_rows(text_table *t, const study_data *d) {
    size_t i;
    json_t *published;
    json_array_foreach(json_object_get(d->published, "rows"), i, published) {
        table_add(t, row_of(d, published));
    }
}
