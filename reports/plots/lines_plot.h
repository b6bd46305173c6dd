/* A plot of lines: values against a field of the cases, named at their ends. */
#ifndef REPORTS_PLOTS_LINES_PLOT_H
#define REPORTS_PLOTS_LINES_PLOT_H

#include "reports/plots/look/picture.h"
#include "reports/plots/plots.h"

/* The data blocks; ranges, labels, bound, guides and marks; then the plot command between frame_write_start and _end.
 * The picture's frame must be what figure.c set it to. Returns how many points. */
size_t lines_plot_write(picture *p, const plot *row, const series_lines *l, FILE *points, FILE *script);

/* The range of y, in the plot's unit, that the lines take: for pictures that share an axis. */
void lines_plot_range(const plot *row, const series_lines *l, double *least, double *most);

#endif
