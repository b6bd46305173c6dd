/* What the machine was measured to do, against the working set: bandwidth, and latency, with the levels of memory. */
#ifndef REPORTS_PLOTS_MACHINE_CURVES_H
#define REPORTS_PLOTS_MACHINE_CURVES_H

#include "reports/plots/look/picture.h"
#include "reports/plots/plots.h"

/* Data, script and marks, as lines_plot_write, and the title that says what was found. Returns how many points; 0 where
 * no line has two of them. */
size_t machine_curves_write(picture *p, const plot *row, const report_data *data, FILE *points, FILE *script);

#endif
