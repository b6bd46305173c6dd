/* Wilcoxon's signed-rank test, and the estimate and intervals that belong to it (Hodges and Lehmann). They
 * assume that differences are independent and symmetric about their centre, and nothing else of the
 * distribution: differences within blocks that were measured in either order are. */
#ifndef BASE_STATISTICS_SIGNED_RANK_H
#define BASE_STATISTICS_SIGNED_RANK_H

#include "attn/error.h"

#include <stddef.h>

/* One-sided: the chance of as large a sum of positive ranks when the centre is 0. Zeros are dropped, ties
 * share their ranks. Exact up to SIGNED_RANK_EXACT differences, the normal approximation with corrections for
 * continuity and ties beyond (which errs on the safe side). 1 without a difference that is not 0; NaN when
 * one is NaN. -1 and an error when memory is short. */
enum { SIGNED_RANK_EXACT = 100 };
int signed_rank_p(double *p, const double *x, size_t n, attn_error *error);

/* The means of all pairs of differences, each with itself too, ascending. */
typedef struct walsh {
    size_t n; /* differences */
    size_t count;
    double *mean;
} walsh;
int walsh_make(walsh *w, const double *x, size_t n, attn_error *error); /* -1: memory, or a NaN */
void walsh_free(walsh *w);

double walsh_centre(const walsh *w); /* NaN without differences */

/* Bounds of the centre, each passed by it with a chance of at most `tail`; infinite when there are too few
 * differences for that. */
double walsh_low(const walsh *w, double tail);
double walsh_high(const walsh *w, double tail);

#endif
