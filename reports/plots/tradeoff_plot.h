/* The plot of a trade-off curve. */
#ifndef REPORTS_PLOTS_TRADEOFF_PLOT_H
#define REPORTS_PLOTS_TRADEOFF_PLOT_H

#include "reports/data/tradeoff.h"

/* Writes NAME.dat, and NAME.gp, which draws NAME.svg, NAME.png, NAME.pdf and NAME.page.svg. */
int tradeoff_write(const tradeoff *t, const char *folder, attn_error *error);

#endif
