/* The one chart: cache bytes of a layer against the time of a decoded frame, a point a rival. */
#ifndef REPORTS_PLOTS_OVERVIEW_H
#define REPORTS_PLOTS_OVERVIEW_H

#include "reports/data/rivals.h"
#include "reports/plots/look/picture.h"
#include "reports/plots/plots.h"

/* Data, script and marks, as lines_plot_write. Returns how many points; 0 when there are no rivals. */
size_t overview_write(picture *p, const plot *row, const rivals *r, const report_data *data, FILE *points,
                      FILE *script);

/* What it found: the nearest to a quarter of the bytes against MHA. */
void overview_title(char *text, size_t size, const rivals *r);

#endif
