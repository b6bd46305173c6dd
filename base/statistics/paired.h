/* Two systems on the same items: how far apart their rates are, by the paired bootstrap (Bisani and Ney 2004, section 3;
 * Efron and Tibshirani 1993, chapter 16). It assumes that items are drawn independently, and nothing of the
 * distribution. */
#ifndef BASE_STATISTICS_PAIRED_H
#define BASE_STATISTICS_PAIRED_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct paired_change {
    double difference; /* sum(b - a) / sum(weight) */
    double low, high;  /* 95% interval */
    /* Two-sided: how often draws fall on the other side of 0; at least 2 / (draws + 1), at most 1. */
    double p;
} paired_change;

/* Draws the n items with replacement 2000 times, the same of both. The same seed, the same result; NaN in, or no
 * weight, NaN out. */
int paired_bootstrap(paired_change *change, const double *a, const double *b, const double *weight, size_t n,
                     uint64_t seed, attn_error *error);

#endif
