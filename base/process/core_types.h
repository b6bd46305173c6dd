/* Machines whose CPUs are not all alike: hybrid ones (P and E cores), big.LITTLE. */
#ifndef BASE_PROCESS_CORE_TYPES_H
#define BASE_PROCESS_CORE_TYPES_H

#include <sched.h>

/* Leaves only the CPUs of a fastest type in the set: by the kernel's cpu_capacity, else by their highest frequency.
 * Where neither is known, or all are alike, the set stays as it is. `root` stands for "/" (tests), or NULL. */
void core_types_fastest(cpu_set_t *cpus, const char *root);

/* The CPU whose caches and clock speak for this process: the one it is pinned to, else the first that it may use of a
 * fastest type. With a root: of all CPUs that are found there. */
int core_types_subject(const char *root);

#endif
