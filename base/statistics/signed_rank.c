#include "base/statistics/signed_rank.h"

#include "base/statistics/stats.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double normal_above(double z) {
    return 0.5 * erfc(z / sqrt(2));
}

/* z with that chance above it. */
static double normal_quantile(double above) {
    double low = -40, high = 40;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        *(normal_above(middle) > above ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

typedef struct signed_value {
    double size;
    int positive;
} signed_value;

static int by_size(const void *left, const void *right) {
    double a = ((const signed_value *)left)->size, b = ((const signed_value *)right)->size;
    return (a > b) - (a < b);
}

/* Chances of the sums 0..top of ranks, each counted or not by a fair coin. */
static void add_coin(double *chance, size_t *top, size_t rank) {
    *top += rank;
    for (size_t sum = *top + 1; sum-- > 0;)
        chance[sum] = 0.5 * chance[sum] + (sum >= rank ? 0.5 * chance[sum - rank] : 0.0);
}

enum { SUMS = SIGNED_RANK_EXACT * (SIGNED_RANK_EXACT + 1) + 1 };

/* Ranks are doubled, so that those shared by ties are whole. */
static double exact_above(const size_t *doubled, size_t n, size_t observed) {
    double chance[SUMS] = {1.0}, above = 0;
    size_t top = 0;
    for (size_t i = 0; i < n; i++)
        add_coin(chance, &top, doubled[i]);
    for (size_t sum = top + 1; sum-- > observed;)
        above += chance[sum];
    return fmin(above, 1.0);
}

static double p_of_sorted(const signed_value *values, size_t n) {
    size_t doubled[SIGNED_RANK_EXACT], observed = 0;
    double ties = 0;
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && values[end].size <= values[first].size; end++)
            ;
        double alike = (double)(end - first);
        ties += alike * (alike * alike - 1);
        for (size_t i = first; i < end; i++) {
            observed += values[i].positive ? first + end + 1 : 0;
            if (n <= SIGNED_RANK_EXACT)
                doubled[i] = first + end + 1;
        }
    }
    if (n <= SIGNED_RANK_EXACT)
        return exact_above(doubled, n, observed);
    double m = (double)n, mean = m * (m + 1) / 4;
    double variance = m * (m + 1) * (2 * m + 1) / 24 - ties / 48;
    return normal_above(((double)observed / 2 - 0.5 - mean) / sqrt(variance));
}

int signed_rank_p(double *p, const double *x, size_t n, attn_error *error) {
    signed_value *values = attn_alloc(n, sizeof *values, "signed ranks", error);
    size_t kept = 0;
    int unknown = 0;
    if (!values)
        return -1;
    for (size_t i = 0; i < n; i++) {
        unknown |= isnan(x[i]);
        if (x[i] < 0 || x[i] > 0)
            values[kept++] = (signed_value){fabs(x[i]), x[i] > 0};
    }
    qsort(values, kept, sizeof *values, by_size);
    *p = unknown ? NAN : kept ? p_of_sorted(values, kept) : 1.0;
    attn_free(values);
    return 0;
}

int walsh_make(walsh *w, const double *x, size_t n, attn_error *error) {
    *w = (walsh){.n = n, .count = n * (n + 1) / 2};
    w->mean = attn_alloc(w->count, sizeof *w->mean, "means of pairs", error);
    if (!w->mean)
        return -1;
    double *to = w->mean;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) {
            walsh_free(w);
            return attn_fail(error, "difference %zu is not a number", i);
        }
        for (size_t j = i; j < n; j++)
            *to++ = (x[i] + x[j]) / 2;
    }
    stats_sort(w->mean, w->count);
    return 0;
}

void walsh_free(walsh *w) {
    attn_free(w->mean);
    *w = (walsh){0};
}

double walsh_centre(const walsh *w) {
    return stats_quantile(w->mean, w->count, 0.5);
}

/* How many means lie outside of a bound: the sums of ranks whose chance to be so small is at most `tail`. */
static size_t means_outside(size_t n, double tail) {
    if (n > SIGNED_RANK_EXACT) {
        double m = (double)n, mean = m * (m + 1) / 4, sd = sqrt(m * (m + 1) * (2 * m + 1) / 24);
        double sum = floor(mean - 0.5 - sd * normal_quantile(tail));
        return sum < 0 ? 0 : (size_t)sum + 1;
    }
    double chance[SUMS] = {1.0}, below = 0;
    size_t top = 0, sums = 0;
    for (size_t rank = 1; rank <= n; rank++)
        add_coin(chance, &top, rank);
    while (sums <= top && (below += chance[sums]) <= tail)
        sums++;
    return sums;
}

double walsh_low(const walsh *w, double tail) {
    size_t outside = means_outside(w->n, tail);
    return outside && outside <= w->count ? w->mean[outside - 1] : -INFINITY;
}

double walsh_high(const walsh *w, double tail) {
    size_t outside = means_outside(w->n, tail);
    return outside && outside <= w->count ? w->mean[w->count - outside] : INFINITY;
}
