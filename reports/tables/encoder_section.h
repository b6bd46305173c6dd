/* What the report says of whole encoders: a table of their cases, the shares of their parts, and findings. */
#ifndef REPORTS_TABLES_ENCODER_SECTION_H
#define REPORTS_TABLES_ENCODER_SECTION_H

#include "reports/tables/table_list.h"

/* Percent of the time that a part took, over all runs; NaN where the file does not say. */
double encoder_share(const results_case *c, attn_part part);

/* As strcmp, for qsort of const measured *: by model, type, then the fields of encoders. */
int encoder_compare(const void *left, const void *right);

/* Sentences about the longest utterance and about a chunk; none without encoder cases. */
void say_encoders(json_t *list, const report_data *data);

#endif
