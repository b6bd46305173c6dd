/* One plot of one report: its data file, and the gnuplot script that draws it. Both stay beside the picture.
 */
#ifndef REPORTS_PLOTS_FIGURE_H
#define REPORTS_PLOTS_FIGURE_H

#include "reports/plots/plots.h"

#include <stdio.h>

typedef struct figure {
    const plot *plot;
    lines lines;    /* empty for the roofline and the parts */
    char basis[96]; /* how many runs, which aggregate */
    size_t points;  /* 0: the data is absent, nothing was written */
    char *svg;      /* for the page: attn_free it; NULL: not drawn */
} figure;

/* Finds the data; when there is any, writes NAME.dat and NAME.gp into `folder`. */
int figure_write(figure *f, const plot *p, const report_data *data, const char *folder, attn_error *error);
void figure_free(figure *f);

/* Text as it may stand in a gnuplot script's quotes: letters, digits, spaces and plain punctuation; the rest
 * becomes "?". */
void figure_safe_text(char *to, size_t size, const char *from);

/* The colour and point type of an attention type: the same in every plot. */
const char *figure_colour(const measured *m);
int figure_point_type(const measured *m);

/* The roofline's own part: its data blocks, and the plot command over them. Returns how many points; 0 when
 * there are no roofs or no cases. */
size_t roofline_write(FILE *points, FILE *script, const report_data *data);

#endif
