#include "harness/plan/plan_turns.h"

#include "attn/alloc.h"

#include <stdlib.h>

static int by_time(const void *a, const void *b) {
    const plan_turn *x = a, *y = b;
    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

plan_turn *plan_turns(const plan *p, attn_error *error) {
    size_t processes = plan_processes(p), count = 0;
    plan_turn *turns = attn_alloc(processes, sizeof *turns, "turns of the plan", error);
    if (!turns)
        return NULL;
    for (size_t i = 0; i < p->count; i++) {
        size_t rounds = plan_rounds_of(p, p->rows[i].name);
        for (size_t round = 0; round < rounds; round++)
            turns[count++] =
                (plan_turn){&p->rows[i], round, (double)(round * p->count + i) / (double)(rounds * p->count)};
    }
    qsort(turns, count, sizeof *turns, by_time);
    return turns;
}
