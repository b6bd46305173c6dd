#include "base/deviation.h"

#include "base/text/json.h"

#include <math.h>

void deviation_add(deviation *d, const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double x = (double)a[i], y = (double)b[i], off = x - y;
        d->absolute += fabs(off);
        d->squared += off * off;
        d->product += x * y;
        d->a2 += x * x;
        d->b2 += y * y;
    }
    d->count += (double)count;
}

void deviation_add_frames(deviation *d, const float *a, const float *b, size_t batch, size_t frames,
                          const size_t *valid, size_t width) {
    for (size_t i = 0; i < batch; i++)
        deviation_add(d, a + i * frames * width, b + i * frames * width, (valid ? valid[i] : frames) * width);
}

double deviation_relative(const deviation *d) {
    if (d->squared == 0.0 && d->count > 0.0)
        return 0.0;
    return sqrt(d->squared / d->b2);
}

const char *deviation_verdict(double relative) {
    if (!isfinite(relative))
        return "not known";
    return relative < 0.05   ? "very good (< 5%)"
           : relative < 0.10 ? "good (< 10%)"
           : relative < 0.20 ? "fair (< 20%)"
                             : "poor (20% or more)";
}

static void set(json_t *row, const char *key, double value) {
    json_object_set_new(row, key, json_finite(value));
}

void deviation_describe(const deviation *d, json_t *row) {
    double relative = deviation_relative(d);
    set(row, "mse", d->squared / d->count);
    set(row, "mae", d->absolute / d->count);
    set(row, "relative_error", relative);
    set(row, "cosine", d->product / sqrt(d->a2 * d->b2));
    json_object_set_new(row, "verdict", json_string(deviation_verdict(relative)));
}
