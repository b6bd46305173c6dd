/* Whether a journal's line about a finished case can be believed. */
#ifndef HARNESS_RESULTS_JOURNAL_LINE_H
#define HARNESS_RESULTS_JOURNAL_LINE_H

#include "attn/error.h"

#include <jansson.h>

/* {"finished": row, "failed", "entries"}: the entries are all of that row, and what results_read takes: repetitions, as
 * many as they say, and their aggregates; or one error when it failed. `where` starts the message. */
int journal_line_check(const json_t *line, const char *where, attn_error *error);

#endif
