/* The name that perf(1) has for a kind of CPU. The same code of an event means another event on another kind. */
#ifndef HARNESS_COUNTERS_CPU_IDENTITY_H
#define HARNESS_COUNTERS_CPU_IDENTITY_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Another identity, for tests; "any": every pattern is this CPU's. */
#define CPU_IDENTITY_VARIABLE "ATTNBENCH_CPU_IDENTITY"

/* "AuthenticAMD-25-11-1" (vendor, family, and model and stepping in hexadecimal), or an Arm's MIDR of the given CPU,
 * "0x00000000410fd490"; "" where the system does not say. */
void cpu_identity(char *text, size_t size, int cpu);

/* Whether an extended regular expression is all of the identity; -1 and an error when it is none. */
int cpu_identity_is(bool *is, const char *pattern, int cpu, attn_error *error);

#endif
