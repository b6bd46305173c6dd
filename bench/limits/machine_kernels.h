/* What this machine can do at most, one set of kernels for each instruction set. Private to bench/. */
#ifndef BENCH_LIMITS_MACHINE_KERNELS_H
#define BENCH_LIMITS_MACHINE_KERNELS_H

#include <stddef.h>

enum { MACHINE_CHAINS = 12 }; /* independent vectors: enough to hide the latency of a multiply-add */

typedef struct machine_kernels {
    size_t lanes; /* floats of a vector */
    /* Chain c starts as c in every lane, and each round makes it chain * a + b. Returns the sum of all lanes
     * of all chains. 2 rounds lanes MACHINE_CHAINS FLOPs. */
    double (*multiply_add)(size_t rounds, float a, float b);
    /* The sum of x [n], 64-byte aligned, read `passes` times over. */
    double (*sum)(const float *x, size_t n, size_t passes);
} machine_kernels;

/* For an attn_isa; NULL where this build has none. */
const machine_kernels *machine_kernels_for(unsigned isa);

#endif
