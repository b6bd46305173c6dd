/* The report's plots: one row of a table each. */
#ifndef REPORTS_PLOTS_PLOTS_H
#define REPORTS_PLOTS_PLOTS_H

#include "reports/data/series.h"

typedef struct plot {
    const char *name; /* of its files */
    const char *title, *x_label, *y_label;
    const char *about; /* a sentence under the picture */
    const char *needs; /* what a results file must have for it */
    series_selection select;
    double scale; /* y in the plot's unit = y * scale */
    bool log_x, log_y;
    bool roofline; /* every case under the measured roofs; select is not used */
    bool parts;    /* time shares of the parts of encoders; select is not used */
} plot;

enum { PLOTS_MAX = 32 };
extern const plot plots[]; /* ended by a NULL name; at most PLOTS_MAX */

#endif
