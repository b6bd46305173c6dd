/* A loop whose cycles are known, next to vector work of an instruction set. Private to bench/. */
#ifndef BENCH_LIMITS_MACHINE_CLOCK_H
#define BENCH_LIMITS_MACHINE_CLOCK_H

#include <stdint.h>

/* An addition of two registers takes a cycle on every CPU that we know, and each waits for the one before it. */
enum { MACHINE_CLOCK_ADDS = 64 }; /* of a round */
/* Multiply-adds of a round, on whole vectors and independent of the additions: one in eight cycles at least, so that
 * they never hold them up, and wide execution units stay awake. */
enum { MACHINE_CLOCK_VECTORS = 8 };

/* Adds `one` (1) MACHINE_CLOCK_ADDS times a round and returns the sum. The multiply-adds count rounds: *lane gets
 * MACHINE_CLOCK_VECTORS / 4 for each (four chains, each * 1 + 1; exact below 2^24). */
typedef uint64_t machine_clock(uint64_t rounds, uint64_t one, float *lane);

/* For an attn_isa; NULL where this build has none. */
machine_clock *machine_clock_for(unsigned isa);

#endif
