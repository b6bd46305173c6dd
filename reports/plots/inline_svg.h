/* gnuplot's pictures made fit for a page. */
#ifndef REPORTS_PLOTS_INLINE_SVG_H
#define REPORTS_PLOTS_INLINE_SVG_H

#include "attn/error.h"

/* The picture FOLDER/NAME.svg for use inside a page: no size of its own, black and the background left to the
 * page, ids prefixed with the name. attn_free it. NULL when it is not a whole picture. */
char *inline_svg(const char *folder, const char *name, attn_error *error);

#endif
