/* Rows of a plan that stand for others, which depend on the machine. */
#ifndef HARNESS_PLAN_PLAN_MACHINE_H
#define HARNESS_PLAN_PLAN_MACHINE_H

#include "harness/machine/machine.h"

enum { PLAN_MACHINE_ROWS = 64, PLAN_MACHINE_ROW = 64 };

/* Writes the rows that `row` stands for here and returns how many, maybe none; -1 for a row that stands for itself.
 *
 *   machine/instruction_sets    peak FLOPs by each that the kernels may use here
 *   machine/units               peaks of what makes products of narrow numbers and matrices, of all that run here
 *   machine/clocks              the clock under each of them
 *   machine/levels              read bandwidth of half of each data cache, of memory, and of every doubling between that
 *                               is larger than the cache before it; usual sizes where those of the caches are unknown
 *   machine/curves/WHAT         WHAT is read, write, copy, triad or nt_write: doublings from 4 KiB far into memory
 *   machine/curves/latency/PAGES, machine/curves/tlb/PAGES    PAGES is small or huge; the latency of huge pages at
 *                               one more size between two doublings
 *   machine/handoffs            one for each other CPU that may be used, eight at most
 *   machine/all/ROW             the rows of machine/ROW on all CPUs that may be used, next to each other; curves go as far
 *                               for all of them together; none where there is one CPU
 */
int plan_machine_rows(char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW], const char *row, const machine *m);

#endif
