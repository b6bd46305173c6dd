/* What a report says: all that was read, drawn and filled for one, and the parts of its page as data for page.html. */
#ifndef REPORTS_PAGE_PAGE_DATA_H
#define REPORTS_PAGE_PAGE_DATA_H

#include "reports/data/tradeoff.h"
#include "reports/plots/figure.h"
#include "reports/plots/run/gnuplot.h"
#include "reports/study/study_data.h"
#include "reports/tables/table_list.h"

typedef struct report {
    report_data data;
    figure figures[PLOTS_MAX];
    size_t figure_count;
    report_table tables[REPORT_TABLES]; /* as in report_table_list */
    paper_tables paper;
    paper_audit audit;
    text_table claims;
    const char *paper_file;   /* where the audit's live bytes are from; NULL: it has none */
    tradeoffs tradeoffs;      /* none: nothing was given */
    speech_profiles profiles; /* the same */
    study_data study;         /* the same */
    json_t *answer, *trust;   /* answer.h */
    json_t *findings, *warnings;
    drawing drawing;
} report;

/* Each part returns NULL on failure, with an error unless memory was short. */

/* {cpu, date, facts: [{name, value}], cases, limits, positions: [{name, value}], checks: {passed, failed, all_passed}};
 * `limits` counts the cases that are limits of the machine, and is null without any. */
json_t *page_top(const report *r, attn_error *error);

/* {models, layers, plots, audit, study, machine, details: [table.html], links: [{name, link}], left_out: [title]}: all tables by
 * their place; those without rows are left out. */
json_t *page_tables(const report *r, attn_error *error);
json_t *page_tables_of(const report_table tables[REPORT_TABLES], attn_error *error);

/* {missing: null or {all, why}, below, first, models, small, machine: [figure.html] by their place, has_machine, left_out: [{title, needs}]} */
json_t *page_plots(const report *r, attn_error *error);

/* {cited, live_file, models: [{name, claimed, identified}]} */
json_t *page_audit(const report *r, attn_error *error);

/* study_page_data */
json_t *page_study(const report *r, attn_error *error);

/* null, or {findings, figures: [figure.html], tables: [table.html]} */
json_t *page_tradeoffs(const report *r, attn_error *error);

/* {commit, words, has_options}: the command that measures again; `words` is for a shell. */
json_t *page_command(const report *r, attn_error *error);

#endif
