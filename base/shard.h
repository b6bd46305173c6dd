/* Work that several runs share: the K-th of N, each part about as long as the others. */
#ifndef BASE_SHARD_H
#define BASE_SHARD_H

#include "attn/error.h"

#include <stddef.h>

enum { SHARDS_MAX = 10000 };

typedef struct shard {
    size_t index, count; /* index from 1; count 0: all of the work in one run */
} shard;

/* "3/8". NULL is all of the work. */
int shard_parse(shard *s, const char *text, attn_error *error);

/* Deals `count` things out to `parts`: the dearest first, each to the part that has least so far (Graham 1969, LPT:
 * no part is longer than 4/3 of what is possible). part[i] is from 1. The same costs give the same parts anywhere. */
int shard_deal(size_t *part, const double *cost, size_t count, size_t parts, attn_error *error);

#endif
