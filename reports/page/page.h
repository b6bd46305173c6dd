/* The report's page: one HTML file that needs nothing but itself. What it looks like is in page.html, page.css and the
 * templates that page.html names; here is what it says. */
#ifndef REPORTS_PAGE_PAGE_H
#define REPORTS_PAGE_PAGE_H

#include "reports/data/tradeoff.h"
#include "reports/plots/figure.h"
#include "reports/plots/gnuplot.h"
#include "reports/tables/report_tables.h"

typedef struct report {
    report_data data;
    figure figures[PLOTS_MAX];
    size_t figure_count;
    report_table tables[REPORT_TABLES]; /* as in report_table_list */
    paper_tables paper;
    paper_audit audit;
    const char *paper_file;   /* where the audit's live bytes are from; NULL: it has none */
    tradeoffs tradeoffs;      /* none: nothing was given */
    speech_profiles profiles; /* the same */
    json_t *findings, *warnings;
    drawing drawing;
} report;

int page_write(FILE *out, const report *r, attn_error *error);

#endif
