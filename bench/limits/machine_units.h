/* Units of a CPU for products of narrow numbers, of matrices, and of vectors whose width the CPU chooses: what one
 * instruction set extension reaches at most.
 *
 * All factors are 1 and all sums begin at 0, so that the sum over all lanes of all accumulators is the number of
 * multiply-adds that were made. */
#ifndef BENCH_LIMITS_MACHINE_UNITS_H
#define BENCH_LIMITS_MACHINE_UNITS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct machine_unit {
    const char *name;             /* a word of the field `unit` */
    bool (*present)(void);        /* the CPU has it, and the kernel lets this process use it */
    double multiply_adds;         /* of a round; with `lanes`, of a lane */
    size_t (*lanes)(void);        /* of vectors whose width the CPU chooses; NULL: others */
    double (*run)(size_t rounds); /* returns the sum; exact up to MACHINE_UNIT_ROUNDS rounds */
} machine_unit;

/* What run(1) returns of a unit that is right. */
static inline double machine_unit_multiply_adds(const machine_unit *unit) {
    return unit->multiply_adds * (unit->lanes ? (double)unit->lanes() : 1);
}

enum { MACHINE_UNIT_ROUNDS = 1 << 14 };

/* All that fields.inc names, those of other architectures too; ended by NULL. */
extern const char *const machine_unit_names[];

/* NULL where this build has none of that name. */
const machine_unit *machine_unit_find(const char *name);

/* Those that this build has: machine_units_x86_64.c, machine_units_arm64.c. */
extern const machine_unit machine_units[];
extern const size_t machine_unit_count;

/* Whether `unit` really runs: one round, in which an illegal instruction is caught. A hypervisor may show what it does
 * not give. Not while other threads run. */
bool machine_unit_runs(const machine_unit *unit);

#endif
