/* The roofline: attained speed against arithmetic intensity, under roofs that the machine cases measured. */
#ifndef REPORTS_PLOTS_ROOFLINE_H
#define REPORTS_PLOTS_ROOFLINE_H

#include "reports/data/measured.h"

#include <stdio.h>

/* Its data blocks, and the plot command over them. Returns how many points; 0 when there are no roofs or no
 * cases. */
size_t roofline_write(FILE *points, FILE *script, const report_data *data);

#endif
