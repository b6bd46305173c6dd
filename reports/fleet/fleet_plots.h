/* Pictures of several machines, a colour each. */
#ifndef REPORTS_FLEET_FLEET_PLOTS_H
#define REPORTS_FLEET_FLEET_PLOTS_H

#include "reports/fleet/fleet_figure.h"
#include "reports/plots/run/gnuplot.h"

enum { FLEET_PLOTS = 3 };

/* Writes NAME.dat, .gp and pictures into the folder (made) and removes what an earlier report left of the others. */
int fleet_draw(fleet_figure figures[FLEET_PLOTS], const fleet *f, const char *folder, drawing *d,
               attn_error *error);
void fleet_figures_free(fleet_figure figures[FLEET_PLOTS]);

#endif
