/* Each case of a history over its commits. */
#ifndef REPORTS_PLOTS_HISTORY_PLOTS_H
#define REPORTS_PLOTS_HISTORY_PLOTS_H

#include "harness/gate/history.h"
#include "reports/plots/run/gnuplot.h"

/* Writes case_NNN.dat, .gp and (unless `d` notes that it cannot be drawn) .svg into the folder, for case number
 * `number`. */
int history_plot(const char *folder, size_t number, const history_series *series,
                 const history_change *changes, size_t count, const json_t *history, drawing *d,
                 attn_error *error);

#endif
