/* A picture in fewer bytes. */
#ifndef REPORTS_PLOTS_SVG_SLIM_H
#define REPORTS_PLOTS_SVG_SLIM_H

#include <stdio.h>

/* Writes the part of gnuplot's SVG from `at` to `end` so that it draws the same: without groups that draw nothing,
 * markers and filters that nothing uses, attributes that say what holds anyway, and white space. */
void svg_slim(FILE *out, const char *at, const char *end);

#endif
