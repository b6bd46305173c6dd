/* How fast this machine's sgemm is, right now and in this process. */
#ifndef HARNESS_MACHINE_SGEMM_RATE_H
#define HARNESS_MACHINE_SGEMM_RATE_H

#include "attn/error.h"

typedef struct sgemm_rate {
    float *matrices; /* a, b, c [SGEMM_RATE_N, SGEMM_RATE_N]; NULL: nothing is measured */
    double best;     /* FLOP/s of the fastest call so far */
} sgemm_rate;

enum { SGEMM_RATE_N = 1024 };

int sgemm_rate_init(sgemm_rate *rate, attn_error *error); /* runs once, untimed */
void sgemm_rate_free(sgemm_rate *rate);

/* A few calls, each timed. */
void sgemm_rate_sample(sgemm_rate *rate);

#endif
