/* A survey of the machine as text. */
#ifndef REPORTS_TABLES_SURVEY_PRINT_H
#define REPORTS_TABLES_SURVEY_PRINT_H

#include "base/text/table.h"
#include "harness/machine/survey.h"

/* md: tables under headings. json: one object with a list for each of them. csv: one table, a number a row. `r` is
 * where the survey comes from. */
int survey_print(const survey *s, const results *r, table_format format, FILE *stream, attn_error *error);

/* ["Under avx512 code the core runs at ..."]: where wide vectors cost clock. */
json_t *survey_clock_remarks(const survey *s);

#endif
