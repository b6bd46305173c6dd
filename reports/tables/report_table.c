#include "reports/tables/report_table.h"

#include <stdarg.h>
#include <stdio.h>

void report_table_init(report_table *t, const char *title) {
    *t = (report_table){0};
    table_init(&t->t, title, t->columns);
}

void report_table_share(report_table *t, const table *from) {
    *t = (report_table){.t = *from};
    json_incref(t->t.rows);
}

void report_column(report_table *t, const char *key, const char *header, ...) {
    if (t->count == REPORT_COLUMNS)
        return;
    va_list arguments;
    va_start(arguments, header);
    vsnprintf(t->headers[t->count], REPORT_HEADER, header, arguments);
    va_end(arguments);
    t->columns[t->count] = (table_column){key, t->headers[t->count], NULL};
    t->count++;
}

void report_column_in_files(report_table *t) {
    t->files_only[t->count - 1] = true;
}

void report_table_free(report_table *t) {
    table_free(&t->t);
    json_decref(t->remarks);
    t->remarks = NULL;
}
