#include "base/statistics/stats.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *left, const void *right) {
    double a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

void stats_sort(double *samples, size_t n) {
    if (n)
        qsort(samples, n, sizeof *samples, ascending);
}

/* Of sorted samples: NaNs are last. */
static int usable(const double *sorted, size_t n) {
    return n && !isnan(sorted[n - 1]);
}

double stats_quantile(const double *sorted, size_t n, double p) {
    if (!usable(sorted, n) || !(p >= 0 && p <= 1))
        return NAN;
    double position = p * (double)(n - 1), whole = floor(position), part = position - whole;
    size_t i = (size_t)whole;
    return part > 0 ? sorted[i] + part * (sorted[i + 1] - sorted[i]) : sorted[i];
}

int stats_summarize(stats_summary *summary, const double *samples, size_t n, attn_error *error) {
    *summary = (stats_summary){n, NAN, NAN, NAN, NAN, NAN, NAN};
    if (!n)
        return 0;
    double *sorted = attn_alloc(n, sizeof *sorted, "sorted samples", error);
    if (!sorted)
        return -1;
    memcpy(sorted, samples, n * sizeof *sorted);
    stats_sort(sorted, n);
    if (usable(sorted, n)) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++)
            sum += sorted[i];
        summary->mean = sum / (double)n;
        for (size_t i = 0; i < n; i++)
            squares += (sorted[i] - summary->mean) * (sorted[i] - summary->mean);
        summary->sd = n > 1 ? sqrt(squares / (double)(n - 1)) : NAN;
        summary->cv = summary->mean != 0 ? summary->sd / summary->mean : NAN;
        summary->min = sorted[0];
        summary->max = sorted[n - 1];
        summary->median = stats_quantile(sorted, n, 0.5);
    }
    attn_free(sorted);
    return 0;
}

/* P(X = k) for X of n fair coins. */
static double fair_coins(size_t k, size_t n) {
    double heads = (double)k, all = (double)n;
    return exp(lgamma(all + 1) - lgamma(heads + 1) - lgamma(all - heads + 1) - all * log(2));
}

stats_interval stats_median_interval(const double *sorted, size_t n, double confidence) {
    stats_interval interval = {NAN, NAN, NAN};
    if (!usable(sorted, n) || !(confidence > 0 && confidence < 1))
        return interval;
    /* The median is outside [x_k, x_(n+1-k)] when fewer than k samples lie on one side of it. */
    double outside = 0;
    for (size_t k = 1; 2 * k <= n; k++) {
        outside += 2 * fair_coins(k - 1, n);
        if (1 - outside < confidence)
            break;
        interval = (stats_interval){sorted[k - 1], sorted[n - k], 1 - outside};
    }
    return interval;
}
