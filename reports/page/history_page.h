/* A history as a page: the change points of every case, and a plot of each. */
#ifndef REPORTS_PAGE_HISTORY_PAGE_H
#define REPORTS_PAGE_HISTORY_PAGE_H

#include "base/text/table.h"
#include "reports/plots/run/gnuplot.h"

typedef struct history_request {
    const char *file;   /* of `history add` */
    const char *filter; /* a regular expression that names of cases must match; NULL: all */
    const char *out;    /* the page's folder; NULL: no page */
    double max_p;       /* of a change, between 0 and 1 */
    double min_change;  /* in logarithms */
} history_request;

typedef struct history_shown {
    text_table changes;
    size_t results, cases, changed;
    size_t machine_changes; /* values before and after one are not compared */
    drawing drawing;
    json_t *pictures; /* [{case, file}] */
} history_shown;

/* Finds the changes; with `out` writes history.md there, and case_NNN.dat, .gp and .svg of every case. */
int history_show(history_shown *shown, const history_request *request, attn_error *error);
void history_shown_free(history_shown *shown);

#endif
