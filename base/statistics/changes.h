/* Change points of a series, by E-divisive (Matteson and James 2014) with Student's t-test in place of its
 * permutation test and a second pass that drops weak points, as Hunter does (Fleming et al. 2023): fast, and
 * the same answer every time. */
#ifndef BASE_STATISTICS_CHANGES_H
#define BASE_STATISTICS_CHANGES_H

#include "attn/error.h"

#include <stddef.h>

typedef struct change_point {
    size_t index;         /* the first value after it */
    double before, after; /* means up to the neighbouring change points */
    double p;             /* two-sided */
} change_point;

/* Values below or equal to 0, and those that are no numbers, are errors. `points` has room for n. Keeps
 * points with p at most max_p and means at least min_change (a log) apart. Returns how many, or -1. */
int find_changes(change_point *points, const double *values, size_t n, double max_p, double min_change,
                 attn_error *error);

/* Student's t-test with pooled variance: the two-sided chance. 1 when a side is empty or both have one value;
 * 0 when means differ and nothing varies. */
double t_test(const double *x, size_t n, const double *y, size_t m);

#endif
