/* A table of the report, whose columns depend on the data. */
#ifndef REPORTS_TABLES_REPORT_TABLE_H
#define REPORTS_TABLES_REPORT_TABLE_H

#include "base/text/table.h"

#include <stdbool.h>
#include <stddef.h>

enum { REPORT_COLUMNS = 48, REPORT_HEADER = 64 };

typedef enum table_presence {
    TABLE_SHOWN,
    TABLE_EMPTY,    /* the results file has nothing for it */
    TABLE_NOT_GIVEN /* it is of something that was not asked for */
} table_presence;

typedef struct report_table {
    text_table t;
    size_t count;
    table_column columns[REPORT_COLUMNS + 1];
    char headers[REPORT_COLUMNS][REPORT_HEADER];
    bool files_only[REPORT_COLUMNS];         /* columns that page, md and tex have no room for */
    const table_column *page_columns;        /* instead of these, where people read; NULL: these */
    table_column chosen[REPORT_COLUMNS + 1]; /* the same, asked for by the reader; without a key: none were */
    char note[1000];                         /* what holds for all rows; plain text */
    json_t *remarks;                         /* more of the same, a text each; NULL: none */
    table_presence presence;
} report_table;

void report_table_init(report_table *t, const char *title);
/* The same with the rows and columns of another table, which must outlive this one. */
void report_table_share(report_table *t, const text_table *from);
/* Columns in excess of REPORT_COLUMNS are left out of what is shown. `key` must outlive the table. */
void report_column(report_table *t, const char *key, const char *header, ...)
    __attribute__((format(printf, 3, 4)));
/* Leaves the newest column out of the page and of what is for reading: md and tex. */
void report_column_in_files(report_table *t);
/* The same of the columns with these keys, ended by NULL. */
void report_columns_in_files(report_table *t, const char *const *keys);
/* The newest column's numbers are bytes, shown in MiB. */
void report_column_mib(report_table *t);

/* All of that in a list, ended by a NULL key. */
enum { REPORT_IN_FILES = 1, REPORT_MIB = 2 };
typedef struct report_column_row {
    const char *key, *header;
    int how; /* REPORT_IN_FILES and REPORT_MIB, or 0 */
} report_column_row;
void report_columns(report_table *t, const report_column_row *columns);

/* Shows the columns that `list` names, by key, separated by commas, in its order, or "all". Sets used[i] where
 * the i-th name is that of a column. A table that has none of them stays as it was. */
void report_table_choose(report_table *t, const char *list, bool *used);
/* The table as people read it: without those columns and without those that have no value. `shown` uses
 * `columns`, and the rows of `t`. */
void report_table_shown(const report_table *t, text_table *shown, table_column columns[REPORT_COLUMNS + 1]);
/* The same columns, then all others that have values. Returns how many are shown. */
size_t report_table_all(const report_table *t, text_table *all, table_column columns[2 * REPORT_COLUMNS + 1]);
void report_table_free(report_table *t);

#endif
