/* Each case of a history over its commits. */
#ifndef REPORTS_PLOTS_HISTORY_PLOTS_H
#define REPORTS_PLOTS_HISTORY_PLOTS_H

#include "harness/gate/history.h"

/* Writes case_NNN.dat, .gp and (with gnuplot) .svg into the folder, for case number `number`. *drawn tells
 * whether there is a picture; without gnuplot there is none, and no error. */
int history_plot(const char *folder, size_t number, const history_series *series,
                 const history_change *changes, size_t count, const json_t *history, bool *drawn,
                 attn_error *error);

#endif
