/* Columns of tables that have one for each counter. */
#ifndef REPORTS_TABLES_COUNTERS_COUNTER_COLUMNS_H
#define REPORTS_TABLES_COUNTERS_COUNTER_COLUMNS_H

#include "reports/tables/table_list.h"

/* Adds a column for each counter of {name: counter} that is shown as a number and has none yet; its header says
 * what is not plainly counted. The names must live as long as the table. NULL: adds none. */
void counter_columns(report_table *t, const json_t *counters);

#endif
