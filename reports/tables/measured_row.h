/* What every table of measured cases says of one, and the order of its rows. */
#ifndef REPORTS_TABLES_MEASURED_ROW_H
#define REPORTS_TABLES_MEASURED_ROW_H

#include "reports/data/series.h"
#include "reports/tables/report_table.h"

#include <jansson.h>

/* Adds runs, processes, disturbed, lost_percent, time_ms, wall_ms, range_ms, low_ms, high_ms, bars, gflops,
 * of_roof_percent, of_sgemm_percent, max_error and name. -1: no memory. */
int measured_row_add(json_t *row, const measured *m);

/* "1.2 to 1.3", in ms. */
json_t *measured_range(const measured *m);

/* As strcmp: by type in the registry's order, then by each field, then by name. */
int measured_compare(const measured *a, const measured *b, const case_field *fields, size_t count);

/* Pointers to the wanted ones, *count of them, sorted as by qsort; to be freed with attn_free. Where memory is short:
 * none, NULL, and the table is without rows. */
const measured **measured_select(size_t *count, report_table *t, const report_data *data,
                                 bool (*wanted)(const report_data *data, const measured *m),
                                 int (*order)(const void *left, const void *right));

#endif
