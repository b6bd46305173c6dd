/* Data and script of each picture. Private to fleet_plots.c. */
#ifndef REPORTS_FLEET_FLEET_LINES_H
#define REPORTS_FLEET_FLEET_LINES_H

#include "reports/fleet/fleet_figure.h"

#include <stdio.h>

/* Speed against the base by what cases are of: writes both files and counts the lines. */
int fleet_write_speed(fleet_figure *drawn, const fleet *f, FILE *points, FILE *script, attn_error *error);

/* The report's plot of that name for MHA and MLA, a line for each machine. */
int fleet_write_plot(fleet_figure *drawn, const fleet *f, const char *plot, FILE *points, FILE *script,
                     attn_error *error);

#endif
