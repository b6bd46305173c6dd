#include "base/statistics/changes.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

enum { LEAST = 2 }; /* values on either side of a point: one alone may be a bad day */

/* The continued fraction of the incomplete beta function, by Lentz's method. */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 / fmax(tiny, 1 - (a + b) * x / (a + 1)), h = d;
    for (int i = 1; i < 500; i++) {
        double m = i, step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + step * d;
        c = 1 + step / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + step * d;
        c = 1 + step / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        h *= d * c;
        if (fabs(d * c - 1) < 1e-14)
            break;
    }
    return h;
}

static double incomplete_beta(double a, double b, double x) {
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

static double mean_of(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double squares_of(const double *x, size_t n, double mean) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum;
}

double t_test(const double *x, size_t n, const double *y, size_t m) {
    if (!n || !m || n + m < 3)
        return 1;
    double a = mean_of(x, n), b = mean_of(y, m), freedom = (double)(n + m - 2);
    double variance = (squares_of(x, n, a) + squares_of(y, m, b)) / freedom;
    double difference = (a - b) * (a - b);
    if (!(difference > 0))
        return 1;
    double t2 = difference / (variance * (1 / (double)n + 1 / (double)m));
    return isfinite(t2) ? incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t2)) : 0;
}

/* Sums of distances that E-divisive weighs against each other, kept up to date as the split moves right. */
typedef struct distances {
    double within_left, within_right, between;
} distances;

static void move_right(distances *d, const double *x, size_t n, size_t moved) {
    for (size_t i = 0; i < moved; i++) {
        double distance = fabs(x[i] - x[moved]);
        d->within_left += distance;
        d->between -= distance;
    }
    for (size_t i = moved + 1; i < n; i++) {
        double distance = fabs(x[i] - x[moved]);
        d->within_right -= distance;
        d->between += distance;
    }
}

static double divergence(const distances *d, size_t left, size_t right) {
    double m = (double)left, n = (double)right;
    double within = (left > 1 ? d->within_left * 2 / (m * (m - 1)) : 0) +
                    (right > 1 ? d->within_right * 2 / (n * (n - 1)) : 0);
    return m * n / (m + n) * (2 / (m * n) * d->between - within);
}

/* The split with the largest divergence; 0 when the series is too short. */
static size_t best_split(const double *x, size_t n) {
    distances d = {0, 0, 0};
    double best = -INFINITY;
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            d.within_right += fabs(x[i] - x[j]);
    for (size_t left = 1; left + LEAST <= n; left++) {
        move_right(&d, x, n, left - 1);
        double q = divergence(&d, left, n - left);
        if (left >= LEAST && q > best) {
            best = q;
            at = left;
        }
    }
    return at;
}

typedef struct search {
    const double *x; /* logs */
    size_t n;
    size_t *at; /* splits found, ascending */
    size_t count;
    double max_p;
} search;

static void insert(search *s, size_t split) {
    size_t i = s->count++;
    for (; i > 0 && s->at[i - 1] > split; i--)
        s->at[i] = s->at[i - 1];
    s->at[i] = split;
}

static void split_all(search *s, size_t from, size_t to) {
    size_t left = best_split(s->x + from, to - from);
    if (!left || t_test(s->x + from, left, s->x + from + left, to - from - left) > s->max_p)
        return;
    insert(s, from + left);
    split_all(s, from, from + left);
    split_all(s, from + left, to);
}

static change_point describe(const search *s, size_t i) {
    size_t from = i ? s->at[i - 1] : 0, at = s->at[i], to = i + 1 < s->count ? s->at[i + 1] : s->n;
    return (change_point){at, mean_of(s->x + from, at - from), mean_of(s->x + at, to - at),
                          t_test(s->x + from, at - from, s->x + at, to - at)};
}

/* Which is dropped first: what is not significant, the least so; then what is too small. */
static double weakness(const change_point *c, double max_p, double min_change) {
    double change = fabs(c->after - c->before);
    return c->p > max_p ? 1 + c->p : change < min_change ? 1 - change / min_change : 0;
}

static void drop_weak(search *s, double max_p, double min_change) {
    for (;;) {
        double worst = 0;
        size_t which = 0;
        for (size_t i = 0; i < s->count; i++) {
            change_point c = describe(s, i);
            double w = weakness(&c, max_p, min_change);
            if (w > worst) {
                worst = w;
                which = i;
            }
        }
        if (!(worst > 0))
            return;
        memmove(s->at + which, s->at + which + 1, (--s->count - which) * sizeof *s->at);
    }
}

/* The first pass lets weak points in, which a stronger one may need next to it to be seen. */
static const double FIRST_PASS = 10;

int find_changes(change_point *points, const double *values, size_t n, double max_p, double min_change,
                 attn_error *error) {
    double *logs = attn_alloc(n, sizeof *logs, "series", error);
    search s = {.x = logs, .n = n, .max_p = fmin(FIRST_PASS * max_p, 0.5)};
    s.at = attn_alloc(n + 1, sizeof *s.at, "change points", error);
    int result = logs && s.at ? 0 : -1;
    for (size_t i = 0; i < n && !result; i++) {
        if (!(values[i] > 0 && isfinite(values[i])))
            result = attn_fail(error, "value %zu of a series: found %g, expected more than 0", i, values[i]);
        logs[i] = log(values[i]);
    }
    if (!result) {
        split_all(&s, 0, n);
        drop_weak(&s, max_p, min_change);
        for (size_t i = 0; i < s.count; i++) {
            points[i] = describe(&s, i);
            points[i].before = exp(points[i].before);
            points[i].after = exp(points[i].after);
        }
        result = (int)s.count;
    }
    attn_free(logs);
    attn_free(s.at);
    return result;
}
