/* What all pictures share: a colour and a point for each attention type, and text that is safe in a script. */
#ifndef REPORTS_PLOTS_FIGURE_STYLE_H
#define REPORTS_PLOTS_FIGURE_STYLE_H

#include "reports/data/measured.h"

/* Text as it may stand in a gnuplot script's quotes: letters, digits, spaces and plain punctuation; the rest
 * becomes "?". */
void figure_safe_text(char *to, size_t size, const char *from);

/* The same for double quotes, where apostrophes may stand too. */
void figure_safe_title(char *to, size_t size, const char *from);

/* The colour and point type of an attention type: the same in every plot, and on the whole page. */
const char *figure_colour(const measured *m);
int figure_point_type(const measured *m);
/* Of lines that are no types; lines in excess share them. */
const char *figure_line_colour(size_t line);

/* Of what the machine allows: bounds and roofs. */
#define FIGURE_BOUND "#5f6b76"
/* Of guides for the eye. */
#define FIGURE_GUIDE "#b8bfc6"

/* Of the parts of an encoder, ATTN_PART_... in order. */
#define FIGURE_PART_0 "#7d4e57"
#define FIGURE_PART_1 "#0b2e5c"
#define FIGURE_PART_2 "#41759f"
#define FIGURE_PART_3 "#4a6b4f"
#define FIGURE_PART_4 "#767676"

/* The colours of pictures, with what the page's style sheet calls them (--c0): it gives each a value for light and one
 * for dark. Ended by a NULL colour. */
typedef struct figure_paint {
    const char *colour, *variable;
} figure_paint;
extern const figure_paint figure_paints[];

#endif
