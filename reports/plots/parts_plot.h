/* Where the time of encoders goes: a bar each, stacked of the shares of its parts. */
#ifndef REPORTS_PLOTS_PARTS_PLOT_H
#define REPORTS_PLOTS_PARTS_PLOT_H

#include "reports/plots/look/picture.h"
#include "reports/plots/plots.h"

enum { ENCODER_BARS = 16 };

/* One bar for each model and type: the cases of mode prefill at the setting that most of them share. */
typedef struct encoder_bars {
    size_t count;
    const measured *bar[ENCODER_BARS];
    size_t least_runs, most_runs;
    char held[240];
} encoder_bars;

void encoder_bars_find(encoder_bars *bars, const report_data *data);

/* A row of data a bar, script and marks. Returns how many bars. */
size_t encoder_bars_write(picture *p, const plot *row, const encoder_bars *bars, FILE *points, FILE *script);

/* What they show: the share of attention. */
void encoder_bars_title(char *text, size_t size, const encoder_bars *bars);

#endif
