#include "base/statistics/paired.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "base/statistics/stats.h"

#include <math.h>
#include <stdbool.h>

enum { DRAWS = 2000 };

static double draw(const double *a, const double *b, const double *weight, size_t n, uint64_t *seed) {
    double sum = 0, weights = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = attn_random_below(seed, n);
        sum += b[at] - a[at];
        weights += weight[at];
    }
    return sum / weights;
}

int paired_bootstrap(paired_change *change, const double *a, const double *b, const double *weight, size_t n,
                     uint64_t seed, attn_error *error) {
    double *draws = attn_alloc(DRAWS, sizeof *draws, "draws", error), sum = 0, weights = 0;
    size_t below = 0, above = 0;
    if (!draws)
        return -1;
    for (size_t i = 0; i < n; i++) {
        sum += b[i] - a[i];
        weights += weight[i];
    }
    for (size_t d = 0; d < DRAWS; d++) {
        draws[d] = n ? draw(a, b, weight, n, &seed) : NAN;
        below += draws[d] <= 0;
        above += draws[d] >= 0;
    }
    stats_sort(draws, DRAWS);
    double p = 2.0 * (double)(1 + (below < above ? below : above)) / (DRAWS + 1);
    bool bad = isnan(sum / weights);
    *change = (paired_change){sum / weights, bad ? NAN : stats_quantile(draws, DRAWS, 0.025),
                              bad ? NAN : stats_quantile(draws, DRAWS, 0.975),
                              bad     ? NAN
                              : p < 1 ? p
                                      : 1};
    attn_free(draws);
    return 0;
}
