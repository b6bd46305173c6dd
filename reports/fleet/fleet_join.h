/* Limits of a machine that were measured by a sweep of their own (`attnbench machine --out`). */
#ifndef REPORTS_FLEET_FLEET_JOIN_H
#define REPORTS_FLEET_FLEET_JOIN_H

#include "harness/results/results.h"

/* Whether the file has nothing but limits of the machine, and it is the machine of the other file. */
bool fleet_are_limits_of(const results *limits, const results *of);

/* Adds the rows that `to` lacks. */
int fleet_join(results *to, const results *limits, const char *file, attn_error *error);

#endif
