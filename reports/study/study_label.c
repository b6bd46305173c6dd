#include "reports/study/study_label.h"

#include "attn/alloc.h"
#include "base/text/json.h"

#include <math.h>

char *study_label(const json_t *model, attn_error *error) {
    double size = json_number(model, "latent_dim");
    if (isnan(size))
        size = json_number(model, "num_kv_heads");
    char number[32] = "";
    if (!isnan(size))
        snprintf(number, sizeof number, " %.0f", size);
    return attn_format(error, "%s%s, %s, %.0f epochs", json_text(model, "attention_type"), number,
                       json_text(model, "origin"), json_number(model, "epochs_in_all"));
}

bool study_row_attends(const json_t *model) {
    return !json_text_is(model, "origin", "no_attention") &&
           !json_text_is(model, "origin", "without_attention");
}
