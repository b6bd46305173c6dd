/* What the cases of a fleet have in numbers, and how machines compare in them. */
#ifndef REPORTS_FLEET_COMPARED_H
#define REPORTS_FLEET_COMPARED_H

#include "reports/fleet/fleet.h"

typedef enum fleet_quantity {
    FLEET_TIME,     /* ns of CPU time */
    FLEET_CYCLES,   /* counted by the CPU */
    FLEET_BY_CLOCK, /* time by the clock that machine/clock measured */
    FLEET_JOULES,   /* of the socket, by its own account */
    FLEET_QUANTITIES
} fleet_quantity;

/* "time"; "clock cycles, counted"... */
extern const char *const fleet_quantity_names[FLEET_QUANTITIES];

/* Of an iteration; NaN where it is not known. */
double fleet_value(const fleet *f, const fleet_case *c, size_t machine, fleet_quantity quantity);

/* The median of a counter that may be shown; NaN without one. */
double fleet_counter(const measured *m, const char *name);

/* GHz under the instruction set in use; NaN: the file has no such row. */
double fleet_clock(const fleet_machine *m);

/* "attention mha decode": what the case is of. */
void fleet_group(char *text, size_t size, const results_case *c);

/* The geometric mean of base over machine, above 1: the machine takes less. Over the cases that both have a value of
 * (*common, none: NaN) and that are of that group; NULL: of all. */
double fleet_speed(size_t *common, const fleet *f, size_t machine, const char *group,
                   fleet_quantity quantity);

#endif
