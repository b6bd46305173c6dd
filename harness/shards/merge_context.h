/* What shards have to agree on, and the context of the file that they make. Private to merge*.c. */
#ifndef HARNESS_SHARDS_MERGE_CONTEXT_H
#define HARNESS_SHARDS_MERGE_CONTEXT_H

#include "harness/results/results.h"

/* That both are of one plan, dealt out the same way, and of one build. */
int merge_check_same(const results *first, const char *first_file, const results *other,
                     const char *other_file, attn_error *error);

/* The number of the shard's machine in the list, which gets it when it is new. Machines are told apart by host and
 * fingerprint. */
size_t merge_machine(json_t *machines, const results *r, size_t shard);

/* NULL when memory is short. */
json_t *merge_context(const results *of, size_t count, const json_t *machines, const json_t *missing);

#endif
