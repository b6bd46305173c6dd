/* Statistics of samples. A NaN among the samples, or too few of them, gives NaN: never a number that looks
 * fine. */
#ifndef BASE_STATISTICS_STATS_H
#define BASE_STATISTICS_STATS_H

#include "attn/error.h"

#include <stddef.h>

typedef struct stats_summary {
    size_t n;
    double mean, sd; /* sd: of the sample, n - 1 below; NaN for n < 2 */
    double cv;       /* sd / mean; NaN when the mean is 0 */
    double min, max, median;
} stats_summary;

/* Needs memory for a sorted copy. */
int stats_summarize(stats_summary *summary, const double *samples, size_t n, attn_error *error);

/* Ascending; NaNs go last. */
void stats_sort(double *samples, size_t n);

/* Quantile p (0..1) of ascending samples, linear between neighbours (Hyndman and Fan's type 7, numpy's
 * default). */
double stats_quantile(const double *sorted, size_t n, double p);

/* A confidence interval of the median that assumes nothing of the distribution but that samples are
 * independent: the order statistics k and n+1-k, k as large as the binomial distribution allows. `coverage`
 * is what the interval really has (at least `confidence`). Where n is too small for the confidence (n < 6 at
 * 95%), or a sample is NaN, all three are NaN. */
typedef struct stats_interval {
    double low, high, coverage;
} stats_interval;
stats_interval stats_median_interval(const double *sorted, size_t n, double confidence);

#endif
