#include "base/shard.h"

#include "attn/alloc.h"

#include <stdlib.h>

static const char *read_number(size_t *number, const char *text) {
    *number = 0;
    while (*text >= '0' && *text <= '9' && *number <= SHARDS_MAX)
        *number = *number * 10 + (size_t)(*text++ - '0');
    return text;
}

int shard_parse(shard *s, const char *text, attn_error *error) {
    *s = (shard){0};
    if (!text)
        return 0;
    const char *end = read_number(&s->index, text);
    end = *end == '/' ? read_number(&s->count, end + 1) : text;
    if (end != text && !*end && s->index && s->index <= s->count && s->count <= SHARDS_MAX)
        return 0;
    return attn_fail(error, "--shard %.40s: expected K/N, K from 1 to N, N at most %d", text, SHARDS_MAX);
}

typedef struct thing {
    double cost;
    size_t at;
} thing;

static int dearest_first(const void *a, const void *b) {
    const thing *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost > y->cost ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static size_t least(const double *sums, size_t count) {
    size_t at = 0;
    for (size_t i = 1; i < count; i++)
        if (sums[i] < sums[at])
            at = i;
    return at;
}

int shard_deal(size_t *part, const double *cost, size_t count, size_t parts, attn_error *error) {
    thing *things = attn_alloc(count, sizeof *things, "shards", error);
    double *sums = attn_alloc(parts, sizeof *sums, "shards", error);
    int result = things && sums ? 0 : -1;
    for (size_t i = 0; !result && i < count; i++)
        things[i] = (thing){cost[i], i};
    if (!result && count)
        qsort(things, count, sizeof *things, dearest_first);
    for (size_t i = 0; !result && i < count; i++) {
        size_t to = least(sums, parts);
        part[things[i].at] = to + 1;
        sums[to] += things[i].cost;
    }
    attn_free(things);
    attn_free(sums);
    return result;
}
