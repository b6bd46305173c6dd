/* What follows from the counters of an entry of the results file: formulas of groups, and how the counts
 * compare with the registry's formulas. */
#ifndef HARNESS_COUNTERS_DERIVE_H
#define HARNESS_COUNTERS_DERIVE_H

#include "harness/counters/group.h"

#include <jansson.h>

/* name -> {"value", "source", "validation"} or {"unavailable"}, of the formulas of a group over `counters`
 * (docs/results.md). Trusted, scaled (divided by their factor) and unchecked counters are used; the
 * validation of the value is the weakest of theirs. */
int derive_formulas(json_t *derived, const counter_group *group, const json_t *counters, attn_error *error);

/* {"flops", "bytes"}, each {"value", "source", "ratio", "error", "differs"} or {"unavailable"}: what was
 * counted, next to the fields of the same name of the entry; `differs` when they are further apart than the
 * error that validation allows. Takes what derive_formulas put into `derived` of the entry. `cache_bytes` is
 * the size of the CPU's last level cache, 0 when unknown. */
json_t *derive_measured(const json_t *entry, double cache_bytes, attn_error *error);

/* "ghz" where cycles were counted: by the CPU time, so that it is what the core ran at. Cycles are those in user mode:
 * what the kernel takes of the time makes it less. `entry` has "counters" and "cpu_time" in ns. */
int derive_clock(json_t *derived, const json_t *entry, attn_error *error);

#endif
