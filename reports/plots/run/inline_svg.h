/* gnuplot's pictures made fit for a page. */
#ifndef REPORTS_PLOTS_INLINE_SVG_H
#define REPORTS_PLOTS_INLINE_SVG_H

#include "attn/error.h"

#include <jansson.h>

/* The picture FOLDER/NAME.page.svg for use inside a page: no size of its own; black, the background and the colours of
 * figure_style.h left to the page's style sheet; ids prefixed with the name; named by the page's #NAME-title, described
 * by #NAME-about. `marks` ([{x, y, text}] in its pixels; NULL: none) become points with a text each. attn_free it. NULL
 * when it is not a whole picture. */
char *inline_svg(const char *folder, const char *name, const json_t *marks, attn_error *error);

#endif
