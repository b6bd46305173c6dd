/* machine/latency and machine/tlb: each load's address is what the load before it found, in an order that no
 * prefetcher guesses. */
#include "bench/limits/machine_limit.h"
#include "bench/limits/pages.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "attn/size.h"

#include <math.h>
#include <stdint.h>

enum { STEPS = 1 << 15 };                  /* of an iteration */
enum { LINE = 64, PAGE = 4096, RUN = 16 }; /* RUN: loads written out between two tests of the loop */

typedef struct node {
    struct node *next;
    size_t number; /* 0, 1, ... in the order of addresses */
} node;

typedef struct chase {
    pages memory;
    size_t count;      /* nodes */
    size_t spacing;    /* bytes from one to the next */
    const node *place; /* where the last iteration stopped */
} chase;

static void release(void *state) {
    chase *c = state;
    pages_free(&c->memory);
    attn_free(c);
}

/* latency: a node in each line. tlb: one in each small page, in a line of another set of the caches each time, so
 * that caches hold many pages' nodes. */
static node *node_at(const chase *c, size_t i) {
    size_t shift = c->spacing == PAGE ? i % (PAGE / LINE) * LINE : 0;
    return (node *)(void *)((char *)c->memory.memory + i * c->spacing + shift);
}

/* One cycle through all nodes (S. Sattolo, 1986: swap with an earlier one, never with itself). */
static void link_nodes(chase *c, uint64_t random) {
    for (size_t i = 0; i < c->count; i++)
        *node_at(c, i) = (node){node_at(c, i), i};
    for (size_t i = c->count - 1; i > 0; i--) {
        node *a = node_at(c, i), *b = node_at(c, attn_random_below(&random, i)), *next = a->next;
        a->next = b->next;
        b->next = next;
    }
    c->place = node_at(c, 0);
}

static int prepare(void **state, const bench_case *row, const bench_settings *settings, attn_error *error) {
    attn_error inner = {0};
    chase *c = attn_alloc(1, sizeof *c, "set-up of a case", error);
    if (!c)
        return -1;
    c->spacing = row->where == BENCH_TLB ? PAGE : LINE;
    c->count = row->bytes / c->spacing ? row->bytes / c->spacing : 1;
    if (pages_map(&c->memory, c->count * c->spacing, row->pages, &inner)) {
        release(c);
        attn_fail_as(error, inner.code, "%s", inner.message);
        return inner.code == ATTN_ERROR_UNSUPPORTED ? BENCH_UNSUPPORTED : -1;
    }
    link_nodes(c, settings->seed);
    *state = c;
    return 0;
}

static const node *walk(const node *place, size_t steps) {
    size_t i = 0;
    for (; i + RUN <= steps; i += RUN) {
#pragma GCC unroll 16
        for (int k = 0; k < RUN; k++)
            place = place->next;
        __asm__ volatile("" : "+r"(place));
    }
    for (; i < steps; i++)
        place = place->next;
    return place;
}

static void run(void *state) {
    chase *c = state;
    c->place = walk(c->place, STEPS);
}

/* A plain loop of as many steps as there are nodes meets each node once and ends where it began. The timed loop, after
 * some steps, is at the same node as the plain one: all steps of a large set would take too long. */
static double off(void *state) {
    chase *c = state;
    const node *start = node_at(c, 0), *place = start, *some = start;
    double sum = 0, right = (double)c->count * ((double)c->count - 1) / 2;
    size_t early = 0, steps = attn_smaller(c->count, 2 * STEPS + 3);
    for (size_t i = 0; i < c->count; i++) {
        early += i > 0 && place == start;
        sum += (double)place->number;
        place = place->next;
        if (i + 1 == steps)
            some = place;
    }
    return fabs(sum - right) + (double)early + (double)place->number + (double)(walk(start, steps) != some);
}

static void values(const void *state, bench_emit_number *emit, void *to) {
    (void)state;
    emit(to, "flops", 0);
    emit(to, "bytes", (double)STEPS * sizeof(void *));
    emit(to, "steps", STEPS);
}

#define CHASE(where_)                                                                                        \
    { .where = where_, .prepare = prepare, .run = run, .off = off, .values = values, .release = release }
const machine_limit limit_latency = CHASE(BENCH_LATENCY), limit_tlb = CHASE(BENCH_TLB);
