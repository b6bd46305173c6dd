#include "attn/compare.h"

#include <math.h>

attn_difference attn_compare(const float *a, const float *b, size_t n, double atol, double rtol) {
    attn_difference d = {.ok = true, .first_bad = n};
    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)a[i] - (double)b[i]), magnitude = fabs((double)b[i]);
        if (!(difference <= d.max_abs) && !isnan(d.max_abs))
            d.max_abs = difference;
        if (magnitude > d.max_b)
            d.max_b = magnitude;
        if (!(difference <= atol + rtol * magnitude && difference < INFINITY) && d.ok) {
            d.ok = false;
            d.first_bad = i;
        }
    }
    return d;
}

size_t attn_first_nonfinite(const float *x, size_t n) {
    size_t i = 0;
    while (i < n && isfinite(x[i]))
        i++;
    return i;
}
