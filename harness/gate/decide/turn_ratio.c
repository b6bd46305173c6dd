#include "harness/gate/decide/turn_ratio.h"

#include "base/statistics/stats.h"

#include "attn/alloc.h"

#include <math.h>

static const double SHORTEST = 1e-4, LONGEST = 2e-3;

/* The mean of the logs of a side's two turns in a four. */
static double level(const double *time, size_t four) {
    return (log(time[2 * four]) + log(time[2 * four + 1])) / 2;
}

int turn_ratio(double *effect, double *noise, double *const time[2], size_t turns, attn_error *error) {
    size_t fours = turns / TURNS_OF_FOUR;
    double *ratios = attn_alloc(fours + 1, sizeof *ratios, "turns", error);
    if (!ratios)
        return -1;
    for (size_t i = 0; i < fours; i++)
        ratios[i] = level(time[1], i) - level(time[0], i);
    stats_sort(ratios, fours);
    *effect = stats_quantile(ratios, fours, 0.5);
    for (size_t i = 0; i < fours / 2; i++)
        ratios[i] = level(time[0], 2 * i + 1) - level(time[0], 2 * i);
    stats_sort(ratios, fours / 2);
    *noise = stats_quantile(ratios, fours / 2, 0.5);
    attn_free(ratios);
    return 0;
}

double turn_length(double min_time) {
    return fmin(fmax(min_time, SHORTEST), LONGEST);
}

size_t turn_count(double seconds, double turn, size_t repetitions) {
    double wanted = fmax(seconds / turn, (double)repetitions);
    return 4 * (size_t)fmax(1, ceil(wanted / 4));
}

unsigned long long turn_iterations(double turn, double ns) {
    return (unsigned long long)fmax(1, fmin(1e9, round(1e9 * turn / ns)));
}
