/* The report's page: one HTML file that needs no other. What it looks like is in page.html, page.css and the
 * templates that page.html names; what it says is here. */
#ifndef REPORTS_PAGE_PAGE_H
#define REPORTS_PAGE_PAGE_H

#include "reports/page/page_data.h"

/* The text of one of the page's files, "page.css". */
const char *page_file(const char *name);

int page_write(FILE *out, const report *r, attn_error *error);

/* Fills one of the templates; "style" and "script" are added to the data. NULL is an error. */
int page_render(FILE *out, const char *name, json_t *data, attn_error *error);

#endif
