/* The rows of a plan. Other code reads plans through harness/plan/plan.h. */
#ifndef HARNESS_PLAN_PLAN_ROWS_H
#define HARNESS_PLAN_PLAN_ROWS_H

#include "bench/case.h"

#include <jansson.h>
#include <stdint.h>

enum { PLAN_ROWS_MAX = 20000 };

typedef struct plan {
    char *name;         /* "quick"; of a file, its name without .yaml */
    size_t repetitions; /* of each case, over all of its rounds */
    size_t rounds;      /* fresh processes of each case, spread over the run */
    json_t *own_rounds; /* row -> rounds of its sweep, where that has its own; NULL: none */
    double min_time;
    uint64_t seed;
    size_t count;
    bench_case *rows; /* in the plan's order, no two of one name; machine rows come last */
    size_t skipped;   /* combinations that cannot be */
    char note[200];   /* the first of them, and why */
} plan;

/* Appends a row unless the plan has it; `seen` has the names of those that it has. `rounds` are the row's own, instead of
 * the plan's; 0: it has none. Of a row that is given several times, the largest counts. */
int plan_add_row(plan *p, json_t *seen, const char *row, size_t rounds, attn_error *error);
size_t plan_own_rounds(const plan *p, const char *row); /* 0: the plan's */

#endif
