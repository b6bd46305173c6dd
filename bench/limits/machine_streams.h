/* Loops over memory that count as bandwidths, one set for each instruction set. Private to bench/.
 *
 * All arrays are [n] floats, 64-byte aligned, n a multiple of 16; each loop is made `passes` times over. */
#ifndef BENCH_LIMITS_MACHINE_STREAMS_H
#define BENCH_LIMITS_MACHINE_STREAMS_H

#include <stddef.h>

typedef struct machine_streams {
    void (*write)(float *x, size_t n, float value, size_t passes);
    void (*copy)(float *to, const float *from, size_t n, size_t passes);
    /* sum = x + scale y */
    void (*triad)(float *sum, const float *x, const float *y, float scale, size_t n, size_t passes);
    /* write by stores that go past the caches; NULL where this build has none. */
    void (*nt_write)(float *x, size_t n, float value, size_t passes);
} machine_streams;

/* For an attn_isa; NULL where this build has none. */
const machine_streams *machine_streams_for(unsigned isa);

#endif
