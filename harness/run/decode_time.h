/* How long one new frame takes, measured by `attnbench bench` in a fresh pinned process (checked against the
 * scalar reference first). */
#ifndef HARNESS_RUN_DECODE_TIME_H
#define HARNESS_RUN_DECODE_TIME_H

#include "attn/attention.h"

typedef struct decode_time {
    double ns;        /* median of the wall clock; NaN when it could not be measured */
    double cpu_ns;    /* median of CPU time */
    double lost;      /* share of the wall clock in which it did not run */
    size_t disturbed; /* of the runs (base/statistics/disturbed.h) */
    size_t runs;      /* that it stands on */
    char why[512];    /* when it is NaN */
} decode_time;

/* One layer of that geometry with `keys` keys in all. -1 only when there is nothing to measure with, or a
 * stop signal came. */
int decode_time_measure(decode_time *time, const attn_variant *variant, const attn_geometry *g, size_t keys,
                        size_t runs, attn_error *error);

#endif
