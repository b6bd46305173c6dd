/* The report's tables: on the page, and as files. */
#ifndef REPORTS_TABLES_REPORT_TABLES_H
#define REPORTS_TABLES_REPORT_TABLES_H

#include "base/text/table.h"
#include "reports/data/series.h"

enum { REPORT_COLUMNS = 40, REPORT_HEADER = 64 };

/* A table whose columns depend on the data. */
typedef struct report_table {
    table t;
    size_t count;
    table_column columns[REPORT_COLUMNS + 1];
    char headers[REPORT_COLUMNS][REPORT_HEADER];
    bool files_only[REPORT_COLUMNS]; /* columns that the page has no room for */
    char note[1000];                 /* what holds for all rows; plain text */
} report_table;

void report_table_init(report_table *t, const char *title);
/* Columns in excess of REPORT_COLUMNS are left out of what is shown. `key` must outlive the table. */
void report_column(report_table *t, const char *key, const char *header, ...)
    __attribute__((format(printf, 3, 4)));
/* Leaves the newest column out of the page. */
void report_column_in_files(report_table *t);
void report_table_free(report_table *t);

/* Each fills one table; a memory failure leaves its rows NULL, which table_write reports. */
void table_summary(report_table *t, const lines *cache, const lines *decode, const lines *prefill);
void table_slopes(report_table *t, const lines *prefill);
void table_speed(report_table *t, const report_data *data);
void table_machine(report_table *t, const report_data *data);
void table_counters(report_table *t, const report_data *data);
void table_counter_values(report_table *t, const report_data *data);
void table_counter_rates(report_table *t, const report_data *data);
void table_counter_parts(report_table *t, const report_data *data);
void table_provenance(report_table *t, const report_data *data);

/* Rounded to four significant digits, as a JSON number; null for NaN. Noise is above that, and the raw
 * samples stay in the results file. */
json_t *four_digits(double value);

/* The same for counts and bytes: whole numbers stay as they are. */
json_t *exact_count(double value);

/* The x that most lines have, the largest of those; NaN without lines. */
double lines_common_x(const lines *l);

#endif
