/* Writing HTML: every text that comes from outside goes through html_text. */
#ifndef REPORTS_PAGE_HTML_H
#define REPORTS_PAGE_HTML_H

#include "base/text/table.h"

#include <stdio.h>

/* Escapes & < > " ' and drops control characters. */
void html_text(FILE *out, const char *text);

/* printf whose result is escaped, the format's own text included. */
void html_printf(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A table in a box of its own that scrolls. Numbers are aligned right; a column without any value is left
 * out. */
int html_table(FILE *out, const table *t, attn_error *error);

/* The same, on demand when it is long. */
int html_folded_table(FILE *out, const table *t, attn_error *error);

#endif
