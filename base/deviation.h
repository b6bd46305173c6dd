/* How far one array is from another, in the usual words. */
#ifndef BASE_DEVIATION_H
#define BASE_DEVIATION_H

#include <jansson.h>
#include <stddef.h>

/* Sums; start with {0}. */
typedef struct deviation {
    double count, absolute, squared, product, a2, b2;
} deviation;

void deviation_add(deviation *d, const float *a, const float *b, size_t count); /* b is the reference */
/* The frames of [B, frames, width] that are valid [B]; NULL: all. */
void deviation_add_frames(deviation *d, const float *a, const float *b, size_t batch, size_t frames,
                          const size_t *valid, size_t width);

/* |a - b| / |b|; 0 when both are nothing, NaN without numbers. */
double deviation_relative(const deviation *d);
const char *deviation_verdict(double relative); /* bands of 5, 10 and 20% */

/* Adds mse, mae, relative_error, cosine and verdict to the row; null what is not a number. */
void deviation_describe(const deviation *d, json_t *row);

#endif
