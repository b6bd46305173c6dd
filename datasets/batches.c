#include "datasets/batches.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <stdlib.h>

enum { JITTER = 20 }; /* frames by which lengths change before they are sorted */

typedef struct place {
    size_t length, index;
} place;

static int by_length(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void cut(batches *b, const place *order, const size_t *lengths, size_t count,
                const batch_limits *limits) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t length = lengths[order[i].index], held = b->count ? i - b->start[b->count - 1] : 0;
        size_t most = length > longest ? length : longest;
        if (!b->count || (held + 1) * most > limits->frames || held == limits->utterances) {
            b->start[b->count++] = i;
            most = length;
        }
        longest = most;
        b->utterances[i] = order[i].index;
    }
    b->start[b->count] = count;
}

/* Fisher and Yates, on whole batches. */
static int mix(batches *b, size_t count, uint64_t *random, attn_error *error) {
    size_t *order = attn_alloc(b->count, sizeof *order, "order of batches", error);
    size_t *utterances = attn_alloc(count, sizeof *utterances, "batches", error);
    size_t *start = attn_alloc(b->count + 1, sizeof *start, "batches", error), used = 0;
    if (!order || !utterances || !start) {
        attn_free(order);
        attn_free(utterances);
        attn_free(start);
        return -1;
    }
    for (size_t i = 0; i < b->count; i++) {
        size_t j = attn_random_below(random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < b->count; i++) {
        start[i] = used;
        for (size_t k = b->start[order[i]]; k < b->start[order[i] + 1]; k++)
            utterances[used++] = b->utterances[k];
    }
    start[b->count] = used;
    attn_free(b->utterances);
    attn_free(b->start);
    attn_free(order);
    b->utterances = utterances;
    b->start = start;
    return 0;
}

int batches_make(batches *b, const size_t *lengths, size_t count, const batch_limits *limits, int shuffle,
                 uint64_t seed, attn_error *error) {
    uint64_t random = seed;
    batch_limits bound = *limits;
    bound.utterances = bound.utterances ? bound.utterances : count;
    *b = (batches){.utterances = attn_alloc(count, sizeof *b->utterances, "batches", error),
                   .start = attn_alloc(count + 1, sizeof *b->start, "batches", error)};
    place *order = attn_alloc(count, sizeof *order, "batches", error);
    if (!b->utterances || !b->start || !order)
        goto failed;
    for (size_t i = 0; i < count; i++)
        order[i] = (place){lengths[i] + (shuffle ? attn_random_below(&random, JITTER) : 0), i};
    qsort(order, count, sizeof *order, by_length);
    cut(b, order, lengths, count, &bound);
    if (shuffle && mix(b, count, &random, error))
        goto failed;
    attn_free(order);
    return 0;
failed:
    attn_free(order);
    batches_free(b);
    return -1;
}

void batches_free(batches *b) {
    attn_free(b->utterances);
    attn_free(b->start);
    *b = (batches){0};
}
