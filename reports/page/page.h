/* The report's page: one HTML file that needs nothing but itself. */
#ifndef REPORTS_PAGE_PAGE_H
#define REPORTS_PAGE_PAGE_H

#include "reports/data/findings.h"
#include "reports/data/tradeoff.h"
#include "reports/page/speech_section.h"
#include "reports/paper/paper_audit.h"
#include "reports/plots/figure.h"

typedef enum report_part {
    PART_SUMMARY,
    PART_SLOPES,
    PART_ENCODERS,
    PART_SPEED,
    PART_MACHINE,
    PART_COUNTERS,
    PART_COUNTER_VALUES,
    PART_COUNTER_RATES,
    PART_COUNTER_PARTS,
    PART_PROVENANCE,
    REPORT_PARTS
} report_part;
extern const char *const report_part_names[]; /* of the tables' files */

typedef struct report {
    report_data data;
    figure figures[PLOTS_MAX];
    size_t figure_count;
    report_table tables[REPORT_PARTS];
    paper_tables paper;
    paper_audit audit;
    const char *paper_file;   /* where the audit's live bytes are from; NULL: it has none */
    tradeoffs tradeoffs;      /* none: nothing was given */
    speech_profiles profiles; /* the same */
    json_t *findings, *warnings;
    char no_plots[256]; /* why there are no pictures; "" when there are */
} report;

/* Writes the page to `out`; style.css is read from the project's folder. */
int page_write(FILE *out, const report *r, attn_error *error);

#endif
