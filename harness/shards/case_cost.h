/* About how long a sweep takes for a case, from its shape alone: for dealing cases out to shards, and the same on every
 * machine. */
#ifndef HARNESS_SHARDS_CASE_COST_H
#define HARNESS_SHARDS_CASE_COST_H

#include "harness/plan/plan.h"

#include <stdbool.h>

/* Seconds on a usual core: the process, the check, and the plan's repetitions. Of machine rows it does not depend on
 * sizes, which are each machine's own. */
double case_cost(const bench_case *c, const plan *p);

/* The part of it that one process takes to start. A peer's process loads an interpreter and a library. */
double case_start(bool by_peer);

#endif
