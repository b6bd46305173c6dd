/* The report's page: one HTML file that needs no other. What it looks like is in page.html, page.css and the
 * templates that page.html names; what it says is here. */
#ifndef REPORTS_PAGE_PAGE_H
#define REPORTS_PAGE_PAGE_H

#include "reports/page/page_data.h"

/* FOLDER/index.html of a report. */
int page_write(const char *folder, const report *r, attn_error *error);

/* Writes FOLDER/index.html from one of the templates; "style" and "script" are added to the data. NULL as data is
 * reported as lack of memory. */
int page_render(const char *folder, const char *name, json_t *data, attn_error *error);

#endif
