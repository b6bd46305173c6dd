/* How often the gate is right, from counts: intervals of a rate, and of the smallest slow-down that it finds
 * 95% of the time. */
#ifndef BASE_STATISTICS_RATES_H
#define BASE_STATISTICS_RATES_H

#include <stddef.h>

typedef struct rate_interval {
    double low, high;
} rate_interval;

/* Clopper and Pearson's 95% interval of a rate that gave k of n; 0 to 1 for n = 0. */
rate_interval rate_of(size_t k, size_t n);

/* `found` of `runs` runs found a slow-down of `percent`. */
typedef struct rate_level {
    double percent;
    size_t found, runs;
} rate_level;

typedef struct rate_threshold {
    double percent;   /* found 95% of the time; NaN: not within 0.1 to 100 percent */
    double low, high; /* 95% interval; NaN: open on that side */
} rate_threshold;

/* By likelihood, when the chance to find x is normal in log x; the interval is where twice the log of the
 * likelihood lies within 3.84 of its largest. */
rate_threshold rate_threshold_of(const rate_level *levels, size_t count);

#endif
