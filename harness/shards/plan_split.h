/* A plan dealt out to shards. */
#ifndef HARNESS_SHARDS_PLAN_SPLIT_H
#define HARNESS_SHARDS_PLAN_SPLIT_H

#include "base/shard.h"
#include "harness/plan/plan.h"

/* What one shard takes as a whole: a case; all rows of one limit of the machine, as "machine/read", since which rows a
 * plan has there is each machine's own, and a curve is of one machine; a kernel under all its instruction sets. */
typedef struct plan_split {
    size_t count; /* of units */
    char (*unit)[BENCH_NAME_MAX];
    size_t *part; /* of each: 1 to the number of shards */
    size_t *of;   /* of each row of the plan: its unit */
    shard own;
    char units_hash[PLAN_HASH]; /* names units, settings and parts: the same on all machines */
    char rows_hash[PLAN_HASH];  /* plan_hash of all rows, as on this machine */
} plan_split;

/* Deals the whole plan out. `counted` is plan_hash's `counters`. `times` names an earlier results file whose times stand
 * for the estimates (harness/shards/case_cost.h); NULL: none. */
int plan_split_make(plan_split *s, const plan *p, const shard *own, const char *counted, const char *times,
                    attn_error *error);
/* Leaves the rows of shard `own` in that plan, maybe none. */
void plan_split_keep(const plan_split *s, plan *p);
void plan_split_free(plan_split *s); /* a zeroed one is fine too */

/* The unit that a row belongs to. */
void plan_unit(char unit[BENCH_NAME_MAX], const char *row);

/* For the results file: {"index", "count", "units_sha", "rows_sha", "units", "parts"}. */
json_t *plan_split_json(const plan_split *s);

#endif
