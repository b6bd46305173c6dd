/* Which CPU to measure on where others have work too. */
#ifndef BASE_PROCESS_QUIET_CPU_H
#define BASE_PROCESS_QUIET_CPU_H

#include "attn/error.h"

#include <sched.h>

/* `asked`, when this process may use it. When it is negative, the CPU with the least to do, as seen in a
 * third of a second; of those that are alike, the last. -1 and an error otherwise. */
int quiet_cpu_pick(int asked, attn_error *error);

/* The same from two readings of /proc/stat; -1 when they say nothing of the allowed ones. */
int quiet_cpu_of(const char *before, const char *after, const cpu_set_t *allowed);

#endif
