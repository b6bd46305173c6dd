/* Results of one kind of machine in; a page with tables and plots out. */
#ifndef REPORTS_PAGE_REPORT_H
#define REPORTS_PAGE_REPORT_H

#include "harness/results/results.h"
#include "reports/plots/run/gnuplot.h"

typedef struct report_request {
    const char *out;              /* the folder; made */
    const char *paper;            /* what `paper --live --format json` wrote; NULL: none */
    const char *const *tradeoffs; /* what `analyze --sweep --format json` wrote, ended by NULL; NULL: none */
    const char *const *profiles;  /* the same of `profile-kv --format json` */
    const char *study;            /* the folder of a finished study; NULL: none */
    const char *columns; /* of the tables, as report_tables_choose takes them; NULL: those that fit a page */
} report_request;

/* Writes OUT/index.html, OUT/tables and OUT/plots. A picture that cannot be drawn is no error: `pictures` says how many
 * there are, and why one is missing. */
int report_make_of(const results *from, const report_request *request, drawing *pictures, attn_error *error);

#endif
