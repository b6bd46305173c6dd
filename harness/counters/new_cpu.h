/* attnbench info --new-cpu: what one would be asked for in a bug report for PAPI, the kernel or OpenBLAS. */
#ifndef HARNESS_COUNTERS_NEW_CPU_H
#define HARNESS_COUNTERS_NEW_CPU_H

#include "attn/error.h"

/* Markdown on stdout. Validates the counters of this process, which takes some seconds where there are any.
 * Names no user, no host and no folder. */
int new_cpu_report(attn_error *error);

#endif
