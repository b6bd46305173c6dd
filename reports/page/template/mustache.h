/* Templates in the Mustache language (mustache.github.io), filled from JSON: the pages' HTML stays in files that a
 * designer can edit.
 *
 *   {{key}} {{a.b}} {{.}}     a text or a whole number, escaped for HTML
 *   {{{key}}}                 the same as it is
 *   {{#key}} ... {{/key}}     once for each item of a list; once for an object, a text or true
 *   {{^key}} ... {{/key}}     only where there is nothing: false, null, [] or ""
 *   {{>file}}                 another template, with the same data
 *   {{! remark }}
 *
 * A line that holds only one of the last four is not printed. Stricter than the language: a key that the data lacks
 * is an error, so that a misspelt one does not leave a hole in a page; what may be absent is null. */
#ifndef REPORTS_PAGE_TEMPLATE_MUSTACHE_H
#define REPORTS_PAGE_TEMPLATE_MUSTACHE_H

#include "attn/error.h"

#include <jansson.h>
#include <stdio.h>

typedef struct mustache_file {
    const char *name, *text;
} mustache_file;

/* Fills the file of that name, one of `files` (ended by a NULL name). Errors name file, line and key. */
int mustache_render(FILE *out, const mustache_file *files, const char *name, const json_t *data,
                    attn_error *error);

/* Writes text with & < > " ' escaped and control characters dropped. */
void mustache_escape(FILE *out, const char *text);

#endif
