/* Running gnuplot, and its pictures made fit for a page. */
#ifndef REPORTS_PLOTS_GNUPLOT_H
#define REPORTS_PLOTS_GNUPLOT_H

#include "attn/error.h"

typedef enum gnuplot_result { GNUPLOT_DRAWN, GNUPLOT_MISSING, GNUPLOT_FAILED } gnuplot_result;

/* Runs NAME.gp in `folder`. Under GNUPLOT_FAILED the error has gnuplot's own words. */
gnuplot_result gnuplot_run(const char *folder, const char *name, attn_error *error);

/* The picture FOLDER/NAME.svg for use inside a page: no size of its own, black and the background left to the
 * page, ids prefixed with the name. attn_free it. */
char *gnuplot_inline_svg(const char *folder, const char *name, attn_error *error);

#endif
