/* What profile-kv shows. */
#ifndef REPORTS_DATA_PROFILE_PRINT_H
#define REPORTS_DATA_PROFILE_PRINT_H

#include "base/text/table.h"

/* `result` is what profile_model gives, or {"models": [such objects]}. json prints it; the rest a table of
 * the utterances with the sums below, or a row a model; md says in words how it was measured. */
int profile_print(const json_t *result, table_format format, FILE *stream, attn_error *error);

/* The table of a row a model: more results may be added to one table. Then how the models of a
 * result were measured, in a few sentences. */
void profile_table_init(text_table *t, const char *title);
void profile_table_add(text_table *t, const json_t *result);
void profile_setting(const json_t *result, FILE *stream);

#endif
