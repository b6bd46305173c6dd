/* Running gnuplot. */
#ifndef REPORTS_PLOTS_GNUPLOT_H
#define REPORTS_PLOTS_GNUPLOT_H

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum gnuplot_result { GNUPLOT_DRAWN, GNUPLOT_MISSING, GNUPLOT_FAILED } gnuplot_result;

/* Runs NAME.gp in `folder`; after `limit` seconds it is killed, and it ends with this process. Under
 * GNUPLOT_FAILED the error has gnuplot's own words. */
gnuplot_result gnuplot_run(const char *folder, const char *name, double limit, attn_error *error);

/* The drawing of several pictures; start with {0}. */
typedef struct drawing {
    size_t drawn, undrawn;
    bool missing;
    int failed_in_row;
    char why[200]; /* the first reason why one was not drawn; "" when all were */
} drawing;

/* One of them, drawn by NAME.gp. */
typedef struct drawing_job {
    const char *name;
    const json_t *marks; /* picture.h; NULL: none */
    char **
        svg; /* the picture for a page, of NAME.page.svg (inline_svg.h): attn_free it; as it was when not drawn.
                   NULL: for no page */
} drawing_job;

/* One process draws them all, as starting takes longer than drawing. Where it fails each is drawn by a process of its
 * own, so that one which fails costs itself only. When gnuplot is missing, or fails twice in a row, the others are not
 * tried. */
void drawing_run(drawing *d, const char *folder, const drawing_job *jobs, size_t count);

#endif
