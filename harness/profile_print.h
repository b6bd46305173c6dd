/* What profile-kv shows. */
#ifndef HARNESS_PROFILE_PRINT_H
#define HARNESS_PROFILE_PRINT_H

#include "harness/table.h"

/* `result` is what profile_model gives, or {"models": [such objects]}. json prints it; the rest a table of
 * the utterances with the sums below, or a row a model; md says in words how it was measured. */
int profile_print(const json_t *result, table_format format, FILE *stream, attn_error *error);

#endif
