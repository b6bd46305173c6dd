/* Time of each part of a case, from iterations of their own: reading a clock at each border slows what is timed. */
#ifndef BENCH_PARTS_PART_TIMES_H
#define BENCH_PARTS_PART_TIMES_H

#include "bench/kind.h"

/* Of the fastest iteration that was split, so that the parts belong together; all 0: it was not. */
typedef struct part_times {
    double seconds[BENCH_PARTS];
} part_times;

/* Some iterations, one at least; `before` runs before each, outside of the clock; may be NULL. */
void part_times_take(part_times *times, const bench_kind_ops *kind, void *state, void (*before)(void));

/* "part_attention/core" and so on: those of attention, where its markers were reached. */
void part_times_emit(const part_times *times, bench_emit_number *emit, void *to);

#endif
