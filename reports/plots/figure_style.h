/* What all pictures share: a colour and a point for each attention type, and text that is safe in a script. */
#ifndef REPORTS_PLOTS_FIGURE_STYLE_H
#define REPORTS_PLOTS_FIGURE_STYLE_H

#include "reports/data/measured.h"

/* Text as it may stand in a gnuplot script's quotes: letters, digits, spaces and plain punctuation; the rest
 * becomes "?". */
void figure_safe_text(char *to, size_t size, const char *from);

/* The colour and point type of an attention type: the same in every plot. */
const char *figure_colour(const measured *m);
int figure_point_type(const measured *m);

#endif
