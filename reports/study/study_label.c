#include "reports/study/study_label.h"

#include "attn/alloc.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/data/case_names.h"

#include <math.h>

/* NaN: its cache is that of MHA, or of one size. */
static double size_of(const json_t *model) {
    double latent = json_number(model, "latent_dim");
    return isnan(latent) ? json_number(model, "num_kv_heads") : latent;
}

void study_short_name(char *text, size_t size, const json_t *model) {
    type_name(text, size, json_text(model, "attention_type"));
    if (!isnan(size_of(model)))
        text_append(text, size, " %.0f", size_of(model));
}

char *study_label(const json_t *model, attn_error *error) {
    double size = size_of(model);
    char number[32] = "", at[32] = "";
    if (!isnan(size))
        snprintf(number, sizeof number, " %.0f", size);
    if (json_number(model, "own_learning_rate") > 0)
        snprintf(at, sizeof at, " at %g", json_number(model, "own_learning_rate"));
    return attn_format(error, "%s%s, %s%s, %.0f epochs", json_text(model, "attention_type"), number,
                       json_text(model, "origin"), at, json_number(model, "epochs_in_all"));
}

bool study_row_attends(const json_t *model) {
    return !json_text_is(model, "origin", "no_attention") &&
           !json_text_is(model, "origin", "without_attention");
}

double study_points(const json_t *model, const char *key) {
    return round(json_number(model, key) * 100) / 100 + 0.0; /* -0.0 + 0.0 is 0.0 */
}
