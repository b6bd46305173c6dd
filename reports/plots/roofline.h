/* The roofline: attained speed against arithmetic intensity, under roofs that the machine cases measured. */
#ifndef REPORTS_PLOTS_ROOFLINE_H
#define REPORTS_PLOTS_ROOFLINE_H

#include "reports/plots/look/picture.h"
#include "reports/plots/plots.h"

/* Data, script and marks, as lines_plot_write. Returns how many points; 0 when there are no roofs or no cases. */
size_t roofline_write(picture *p, const plot *row, const report_data *data, FILE *points, FILE *script);

/* What it found: how near to their roofs the best decode and prefill come. */
void roofline_title(char *text, size_t size, const plot *row, const report_data *data);

#endif
