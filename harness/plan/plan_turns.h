/* In which order a sweep runs the processes of a plan. */
#ifndef HARNESS_PLAN_PLAN_TURNS_H
#define HARNESS_PLAN_PLAN_TURNS_H

#include "harness/plan/plan.h"

typedef struct plan_turn {
    const bench_case *row; /* of the plan */
    size_t round;
    double when; /* in the run: 0 to 1 */
} plan_turn;

/* plan_processes of them. The rounds of a case are spread evenly over the run, however many they are: when the machine
 * changes over minutes, all cases see it alike. With as many for all that is one round after the other, each in the
 * plan's order. Free with attn_free. */
plan_turn *plan_turns(const plan *p, attn_error *error);

#endif
