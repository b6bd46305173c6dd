/* Each case of a history over its commits. */
#ifndef REPORTS_PLOTS_HISTORY_PLOTS_H
#define REPORTS_PLOTS_HISTORY_PLOTS_H

#include "harness/gate/history.h"
#include "reports/plots/run/gnuplot.h"

/* Writes case_NNN.dat and .gp into the folder, for case number `number`. */
int history_plot_write(const char *folder, size_t number, const history_series *series,
                       const history_change *changes, size_t count, const json_t *history, attn_error *error);

/* Draws case_001.svg to that of case number `cases`, unless `d` notes that one cannot be drawn. */
int history_plots_draw(const char *folder, size_t cases, drawing *d, attn_error *error);

#endif
