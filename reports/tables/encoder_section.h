/* What the report says of whole encoders: a table of their cases, time shares of their parts, and findings. */
#ifndef REPORTS_TABLES_ENCODER_SECTION_H
#define REPORTS_TABLES_ENCODER_SECTION_H

#include "reports/tables/table_list.h"

enum { ENCODER_BARS = 16 };

/* One bar for each model and type: the cases of mode prefill at the setting that most of them share. */
typedef struct encoder_bars {
    size_t count;
    const measured *bar[ENCODER_BARS];
    size_t least_runs, most_runs;
    char held[240];
} encoder_bars;

void encoder_bars_find(encoder_bars *bars, const report_data *data);

/* A row of data a bar, and the plot command. */
void encoder_bars_write(FILE *points, FILE *script, const encoder_bars *bars);

/* Percent of the time that a part took, over all runs; NaN where the file does not say. */
double encoder_share(const results_case *c, attn_part part);

/* Sentences about the longest utterance and about a chunk; none without encoder cases. */
void say_encoders(json_t *list, const report_data *data);

#endif
