/* From figures and curves to pictures in a folder. */
#ifndef REPORTS_PLOTS_DRAW_H
#define REPORTS_PLOTS_DRAW_H

#include "reports/data/tradeoff.h"
#include "reports/plots/figure.h"
#include "reports/plots/run/gnuplot.h"

/* Finds what each plot of `plots` shows. */
int figures_select(figure figures[PLOTS_MAX], size_t *count, const report_data *data, attn_error *error);

/* Writes NAME.dat, .gp, .svg, .png and .pdf of every figure that has data into the folder (made), and
 * removes what an earlier report left of the others. The results stay usable without pictures, so one that
 * cannot be drawn is noted in `d`, and is no error. */
int figures_draw(figure figures[PLOTS_MAX], size_t count, const report_data *data, const char *folder,
                 drawing *d, attn_error *error);

/* The same of trade-off curves. */
int tradeoffs_draw(tradeoffs *t, const char *folder, drawing *d, attn_error *error);

/* Moves what a picture left in the folder where it was drawn, and removes what it did not leave from the other. */
int draw_move_files(const char *from, const char *to, const char *name, bool has_data, bool has_picture,
                    attn_error *error);

#endif
