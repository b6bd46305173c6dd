/* One plot of one report: its data file, and the gnuplot script that draws it. Both stay next to the picture. */
#ifndef REPORTS_PLOTS_FIGURE_H
#define REPORTS_PLOTS_FIGURE_H

#include "reports/plots/look/picture.h"
#include "reports/plots/plots.h"

typedef struct figure {
    const plot *plot;
    series_lines lines; /* empty for other kinds than PLOT_LINES */
    picture picture;
    size_t points; /* 0: the data is absent, nothing was written */
    char *svg;     /* for the page: attn_free it; NULL: not drawn */
} figure;

/* Finds the data. */
int figure_select(figure *f, const plot *p, const report_data *data, attn_error *error);

/* When there is any, writes NAME.dat and NAME.gp into `folder`. `all` are the figures of the report, selected: those
 * whose plots share an axis get the same. */
int figure_write(figure *f, const figure *all, size_t count, const report_data *data, const char *folder,
                 attn_error *error);
void figure_free(figure *f);

#endif
