/* What a model of a study is called. */
#ifndef REPORTS_STUDY_LABEL_H
#define REPORTS_STUDY_LABEL_H

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>

/* "mla_simple 16, fine_tuned, 8 epochs": short, for legends and rows; attn_free it. */
char *study_label(const json_t *model, attn_error *error);

/* Its number in hundredths, as "%+.2f" shows it; one that rounds to 0 has no minus. */
double study_points(const json_t *model, const char *key);

/* Whether its attention contributes anything. */
bool study_row_attends(const json_t *model);

/* "MLA 256": the type, then latent_dim or the key/value heads. */
void study_short_name(char *text, size_t size, const json_t *model);

#endif
