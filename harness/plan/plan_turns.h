/* The order in which a sweep runs the processes of a plan. */
#ifndef HARNESS_PLAN_PLAN_TURNS_H
#define HARNESS_PLAN_PLAN_TURNS_H

#include "harness/plan/plan.h"

typedef struct plan_turn {
    const bench_case *row; /* of the plan */
    size_t round;
    double when; /* in the run: 0 to 1 */
} plan_turn;

/* plan_processes(p) of them; free with attn_free. The rounds of each case are spread evenly over the run, so that a change
 * of the machine over minutes meets all cases alike. When all cases have the same number of rounds, one round follows
 * the other, each in the plan's order. */
plan_turn *plan_turns(const plan *p, attn_error *error);

#endif
