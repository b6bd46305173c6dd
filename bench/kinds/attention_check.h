/* The comparison of an implementation with the scalar reference before anything is timed. Private to bench/. */
#ifndef BENCH_KINDS_ATTENTION_CHECK_H
#define BENCH_KINDS_ATTENTION_CHECK_H

#include "bench/kinds/attention_setup.h"

/* Runs the implementation once and compares its output, and the cache that it leaves, with the scalar reference:
 * |difference| <= 1e-4 of the largest magnitude in the reference (of the output; of each cached tensor, where a cache's type allows one step of it more). All rows, or a
 * seeded sample of them where all would take the reference more than check_flops. */
int attention_check(attention_setup *setup, bench_check *check, attn_error *error);

#endif
