#include "harness/gate/decide/turn_ratio.h"

#include "base/statistics/stats.h"

#include "attn/alloc.h"

#include <math.h>

static const double SHORTEST = 1e-4, LONGEST = 2e-3;

/* The fastest turn of a side in a window; NaN where any is. */
static double best(const double *time, size_t window, size_t width) {
    const double *of = time + window * width;
    double least = of[0];
    for (size_t i = 1; i < width && !isnan(least); i++)
        if (!(of[i] >= least))
            least = of[i];
    return least;
}

int turn_ratio(double *effect, double *noise, double *const time[2], size_t turns, attn_error *error) {
    size_t width = turns < TURNS_FOR_WIDE ? TURNS_OF_NARROW : TURNS_OF_WINDOW, windows = turns / width;
    double *ratios = attn_alloc(windows + 1, sizeof *ratios, "turns", error);
    if (!ratios)
        return -1;
    for (size_t i = 0; i < windows; i++)
        ratios[i] = log(best(time[1], i, width) / best(time[0], i, width));
    stats_sort(ratios, windows);
    *effect = stats_quantile(ratios, windows, 0.5);
    for (size_t i = 0; i < windows / 2; i++)
        ratios[i] = log(best(time[0], 2 * i + 1, width) / best(time[0], 2 * i, width));
    stats_sort(ratios, windows / 2);
    *noise = stats_quantile(ratios, windows / 2, 0.5);
    attn_free(ratios);
    return 0;
}

double turn_length(double min_time) {
    return fmin(fmax(min_time / 2, SHORTEST), LONGEST);
}

size_t turn_count(double seconds, double turn) {
    return 4 * (size_t)fmax(1, ceil(fmin(seconds / turn, TURNS_OF_PAIR) / 4));
}

unsigned long long turn_iterations(double turn, double ns) {
    return (unsigned long long)fmax(1, fmin(1e9, round(1e9 * turn / ns)));
}
