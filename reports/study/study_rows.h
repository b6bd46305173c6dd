/* Rows of a study's tables, out of its kinds and runs. Private to study_*.c. */
#ifndef REPORTS_STUDY_ROWS_H
#define REPORTS_STUDY_ROWS_H

#include "attn/error.h"

#include <jansson.h>

/* A study as its file has it, and what its rows say of its speech. */
typedef struct study_source {
    const json_t *kinds, *runs;
    const char *speech;
} study_source;

/* A row a kind: all of its runs together, and what sets them apart from their reference. NULL on failure. */
json_t *study_row_of_kind(const study_source *s, const json_t *kind, attn_error *error);
/* Bytes of each row of models against those of the mha of its name, once all are there. */
void study_rows_add_shares(json_t *models);
/* A row a run. */
json_t *study_row_of_run(const study_source *s, const json_t *run);

#endif
