/* Results of shards back into one file. */
#ifndef HARNESS_SHARDS_MERGE_H
#define HARNESS_SHARDS_MERGE_H

#include "attn/error.h"

#include <jansson.h>
#include <stddef.h>

typedef struct merge_outcome {
    json_t *results; /* the file's content; incomplete when something is missing */
    json_t *missing; /* of each shard that is missing: {"shard", "cases": [units]} */
    size_t shards, given;
    size_t cases, failed, machines, kinds;
    char cpus[512]; /* of the kinds, "A, B" */
} merge_outcome;

/* Reads shards of one plan and build, in any order, and puts their entries into the plan's order, each with the number
 * of its machine (harness/results/machines.h). Errors, which name the files: one that is no shard, of another plan,
 * split or build, the same shard twice, a case that its shard lacks or that is another's. Free with merge_free. */
int merge_shards(merge_outcome *outcome, const char *const *files, attn_error *error);
void merge_free(merge_outcome *outcome); /* a zeroed one is fine too */

#endif
