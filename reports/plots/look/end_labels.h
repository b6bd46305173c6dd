/* Names at the ends of lines, in place of a legend. */
#ifndef REPORTS_PLOTS_LOOK_END_LABELS_H
#define REPORTS_PLOTS_LOOK_END_LABELS_H

#include "reports/plots/look/frame.h"

#include <stddef.h>
#include <stdio.h>

enum { END_LABELS = 24 };

typedef struct end_label {
    double y;           /* where its line ends, as a part of the axis: 0 to 1 */
    char text[48];      /* safe in a script's quotes */
    const char *colour; /* "#1f5fbf" */
} end_label;

/* Adds one, as long as there are fewer than END_LABELS; `text` may be unsafe. */
void end_label_add(end_label *labels, size_t *count, double y, const char *text, const char *colour);

/* Makes room right of the plot for the longest label and `gap` pixels before it, and moves the labels apart. */
void end_labels_fit(end_label *labels, size_t count, plot_frame *f, double gap);

/* Moves the labels apart, until no two are nearer than `gap` and all are on the axis, as far as that is possible;
 * sorts them by y. */
void end_labels_spread(end_label *labels, size_t count, double gap);

/* gnuplot's commands for them, right of the plot. */
void end_labels_write(FILE *script, const end_label *labels, size_t count);

#endif
