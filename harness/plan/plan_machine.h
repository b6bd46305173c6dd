/* Rows of a plan that stand for others, which depend on the machine. */
#ifndef HARNESS_PLAN_PLAN_MACHINE_H
#define HARNESS_PLAN_PLAN_MACHINE_H

#include "harness/machine/machine.h"

enum { PLAN_MACHINE_ROWS = 24, PLAN_MACHINE_ROW = 64 };

/* "machine/instruction_sets": peak FLOPs by each that the kernels may use here. "machine/levels": read
 * bandwidth of half of each data cache, of memory, and of every doubling between that is larger than the
 * cache before it; usual sizes where those of the caches are unknown. Writes the rows and returns how many; 0
 * for any other row. */
size_t plan_machine_rows(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const char *row, const machine *m);

#endif
