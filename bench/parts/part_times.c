#include "bench/parts/part_times.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ITERATIONS = 100 };
static const double LONG_ENOUGH = 0.02; /* seconds of them all */

typedef struct part_clock {
    double seconds[BENCH_PARTS], begun;
    int part;
} part_clock;

static void begin_part(void *context, int part) {
    part_clock *c = context;
    double now = clock_now();
    if (c->part != BENCH_PARTS_END)
        c->seconds[c->part] += now - c->begun;
    c->part = part;
    c->begun = now;
}

/* The time of all parts. */
static double split_iteration(part_clock *c, const bench_kind_ops *kind, void *state) {
    double sum = 0;
    *c = (part_clock){.part = BENCH_PARTS_END};
    kind->run_parts(state, begin_part, c);
    begin_part(c, BENCH_PARTS_END);
    for (int p = 0; p < BENCH_PARTS; p++)
        sum += c->seconds[p];
    return sum;
}

void part_times_take(part_times *times, const bench_kind_ops *kind, void *state, void (*before)(void)) {
    double least = INFINITY, started = clock_now();
    for (int i = 0; i < MOST_ITERATIONS && (!i || clock_now() - started < LONG_ENOUGH); i++) {
        part_clock c;
        if (before)
            before();
        double sum = split_iteration(&c, kind, state);
        if (sum < least) {
            least = sum;
            memcpy(times->seconds, c.seconds, sizeof c.seconds);
        }
    }
}

void part_times_emit(const part_times *times, bench_emit_number *emit, void *to) {
    double reached = 0;
    for (int p = ATTN_PARTS; p < BENCH_PARTS; p++)
        reached += times->seconds[p];
    for (int p = ATTN_PARTS; reached > 0 && p < BENCH_PARTS; p++) {
        char name[48];
        snprintf(name, sizeof name, "part_%s", bench_part_name(p));
        emit(to, name, times->seconds[p]);
    }
}
