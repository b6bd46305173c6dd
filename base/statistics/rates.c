#include "base/statistics/rates.h"

#include <math.h>

/* P(X >= k), X of n with chance p. */
static double binomial_above(size_t k, size_t n, double p) {
    double sum = 0, all = (double)n;
    if (k == 0 || p >= 1)
        return 1;
    for (size_t i = k; i <= n && p > 0; i++) {
        double heads = (double)i;
        sum += exp(lgamma(all + 1) - lgamma(heads + 1) - lgamma(all - heads + 1) + heads * log(p) +
                   (all - heads) * log1p(-p));
    }
    return fmin(sum, 1);
}

/* The chance under which at least k of n is as likely as `tail`. */
static double chance_with_tail(size_t k, size_t n, double tail) {
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        double middle = (low + high) / 2;
        *(binomial_above(k, n, middle) < tail ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

rate_interval rate_of(size_t k, size_t n) {
    rate_interval r = {0, 1};
    if (k > 0)
        r.low = chance_with_tail(k, n, 0.025);
    if (k < n)
        r.high = chance_with_tail(k + 1, n, 0.975);
    return r;
}

static double normal_below(double z) {
    return 0.5 * erfc(-z / sqrt(2));
}

#define Z95 1.6448536269514722
enum { THRESHOLDS = 1200, WIDTHS = 60 };

static double log_likelihood(const rate_level *levels, size_t count, double threshold, double width) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double z = log(levels[i].percent / threshold) / width + Z95;
        double found = (double)levels[i].found, missed = (double)(levels[i].runs - levels[i].found);
        sum += (found > 0 ? found * log(normal_below(z)) : 0) +
               (missed > 0 ? missed * log(normal_below(-z)) : 0);
    }
    return sum;
}

static double threshold_at(size_t i) {
    return 0.1 * pow(1000, (double)i / (THRESHOLDS - 1));
}

/* The best over widths, from an almost sharp step to one that takes a factor of 10. */
static double profile(const rate_level *levels, size_t count, double threshold) {
    double best = -INFINITY;
    for (size_t i = 0; i < WIDTHS; i++)
        best =
            fmax(best, log_likelihood(levels, count, threshold, 0.01 * pow(100, (double)i / (WIDTHS - 1))));
    return best;
}

rate_threshold rate_threshold_of(const rate_level *levels, size_t count) {
    static double profiles[THRESHOLDS];
    rate_threshold t = {NAN, NAN, NAN};
    double best = -INFINITY;
    size_t first = 0, last = THRESHOLDS - 1, low = 0, high = THRESHOLDS - 1;
    for (size_t i = 0; i < THRESHOLDS; i++) {
        profiles[i] = profile(levels, count, threshold_at(i));
        best = fmax(best, profiles[i]);
    }
    /* The middle of all that fit as well, as between two levels, one never found and one always. */
    while (first < last && profiles[first] < best - 1e-6)
        first++;
    while (last > first && profiles[last] < best - 1e-6)
        last--;
    while (low < high && profiles[low] < best - 3.84 / 2)
        low++;
    while (high > low && profiles[high] < best - 3.84 / 2)
        high--;
    if (first > 0 && last < THRESHOLDS - 1)
        t.percent = sqrt(threshold_at(first) * threshold_at(last));
    if (low > 0)
        t.low = threshold_at(low);
    if (high < THRESHOLDS - 1)
        t.high = threshold_at(high);
    return t;
}
