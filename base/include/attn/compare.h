/* Comparing results: |a - b| <= atol + rtol |b| and finite, so that a NaN or an infinity anywhere fails. */
#ifndef ATTN_COMPARE_H
#define ATTN_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attn_difference {
    bool ok;
    double max_abs;   /* largest |a - b|; NaN when any value is NaN */
    double max_b;     /* largest |b| */
    size_t first_bad; /* index of the first element beyond the tolerance; n when ok */
} attn_difference;

/* b is the reference. */
attn_difference attn_compare(const float *a, const float *b, size_t n, double atol, double rtol);

/* Index of the first element that is infinite or NaN; n when there is none. */
size_t attn_first_nonfinite(const float *x, size_t n);

#ifdef __cplusplus
}
#endif
#endif
