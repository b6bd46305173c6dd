#include "harness/gate/decide/one_process.h"

#include "base/statistics/stats.h"

#include <math.h>

/* P(T > t), 3 degrees of freedom. */
static double t3_above(double t) {
    double x = t / sqrt(3);
    return 0.5 - (x / (1 + x * x) + atan(x)) / acos(-1);
}

static double t3_quantile(double above) {
    double low = 0, high = 1e6;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        *(t3_above(middle) > above ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

double single_scale_of_typical(double difference) {
    return difference / t3_quantile(0.25);
}

double single_scale(double *differences, size_t n) {
    if (n < SINGLE_LEAST)
        return NAN;
    for (size_t i = 0; i < n; i++)
        differences[i] = fabs(differences[i]);
    stats_sort(differences, n);
    return single_scale_of_typical(stats_quantile(differences, n, 0.5));
}

single_noise single_noise_of(double scale, size_t cases, const gate_rule *rule) {
    return (single_noise){scale * t3_quantile(rule->alpha / (double)cases), scale * t3_quantile(rule->beta)};
}

gate_finding single_judge(double effect, single_noise noise, const gate_rule *rule) {
    gate_finding f = {.settled = true,
                      .estimate = effect,
                      .low = effect - noise.seen,
                      .high = effect + noise.seen,
                      .p = NAN,
                      .noise = noise.seen,
                      .floor = isnan(noise.seen) ? NAN : fmax(noise.seen, rule->min_effect)};
    if (f.low > rule->min_effect)
        f.verdict = GATE_SLOWER;
    else if (f.high < -rule->min_effect)
        f.verdict = GATE_FASTER;
    if (f.verdict || !(effect + noise.missed < rule->min_effect))
        return f;
    f.verdict = GATE_SAME;
    f.low = effect - noise.missed;
    f.high = effect + noise.missed;
    return f;
}

double single_time(double *times, const bool *disturbed, size_t n) {
    size_t calm = 0, kept = 0;
    for (size_t i = 0; i < n; i++)
        calm += !disturbed[i];
    bool all = calm < n - calm;
    for (size_t i = 0; i < n; i++)
        if (all || !disturbed[i])
            times[kept++] = times[i];
    stats_sort(times, kept);
    return stats_quantile(times, kept, 0.5);
}

double single_best_time(double *times, const bool *disturbed, size_t n) {
    size_t samples = n / SAMPLE_OF;
    if (samples < SAMPLES_LEAST)
        return single_time(times, disturbed, n);
    for (size_t sample = 0; sample < samples; sample++) {
        double best = INFINITY;
        for (size_t i = sample * SAMPLE_OF; i < (sample + 1) * SAMPLE_OF; i++)
            best = fmin(best, times[i]);
        times[sample] = best;
    }
    stats_sort(times, samples);
    return stats_quantile(times, samples, 0.5);
}
