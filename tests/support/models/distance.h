/* How far one array is from another. */
#ifndef TESTS_SUPPORT_MODELS_DISTANCE_H
#define TESTS_SUPPORT_MODELS_DISTANCE_H

#include <math.h>
#include <stddef.h>

/* |a - b| / |b|, of n elements; NaN when b is all zeros and a is, too. */
static inline double distance(const float *a, const float *b, size_t n) {
    double sum = 0.0, all = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        all += (double)b[i] * (double)b[i];
    }
    return sqrt(sum / all);
}

#endif
