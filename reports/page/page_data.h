/* What the parts of the page say, as data for page.html. Each returns NULL on failure, with an error unless memory was
 * short. */
#ifndef REPORTS_PAGE_PAGE_DATA_H
#define REPORTS_PAGE_PAGE_DATA_H

#include "reports/page/page.h"

/* {cpu, facts: [{name, value}], cases, positions: [{name, value}], checks: {passed, failed, all_passed}} */
json_t *page_top(const report *r, attn_error *error);

/* {top, plots, audit, details: [table.html], links: [{name, link}]}: all tables by their place. */
json_t *page_tables(const report *r, attn_error *error);

/* {missing: null or {all, why}, figures: [figure.html], left_out: [{title, needs}]} */
json_t *page_plots(const report *r, attn_error *error);

/* {cited, live_file, models: [{name, claimed, identified}]} */
json_t *page_audit(const report *r, attn_error *error);

/* null, or {findings, figures: [figure.html], tables: [table.html]} */
json_t *page_tradeoffs(const report *r, attn_error *error);

/* {commit, words, has_options}: the command that measures again; `words` is for a shell. */
json_t *page_command(const report *r, attn_error *error);

#endif
