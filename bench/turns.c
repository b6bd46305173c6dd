#include "bench/turns.h"

#include "bench/evict.h"
#include "bench/turn_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t MOST_ITERATIONS = UINT64_C(1) << 40;

static uint64_t ns_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* "go N": 1; "quit": 0; else -1. */
static int read_order(const char *line, uint64_t *iterations, attn_error *error) {
    char *end = NULL;
    if (!strcmp(line, "quit\n"))
        return 0;
    if (!strncmp(line, "go ", 3) && line[3] >= '1' && line[3] <= '9')
        *iterations = strtoull(line + 3, &end, 10);
    if (end && !strcmp(end, "\n") && *iterations <= MOST_ITERATIONS)
        return 1;
    return attn_fail(error, "--turns: expected go N or quit: %.40s", line);
}

typedef struct turn {
    uint64_t ns, cpu_ns;
} turn;

/* The CPU's clock is a call of the kernel: it is read outside of what is timed. */
static void time_region(turn *t, bench_workload work, uint64_t iterations) {
    uint64_t cpu = ns_of(CLOCK_PROCESS_CPUTIME_ID), begin = ns_of(CLOCK_MONOTONIC);
    for (uint64_t i = 0; i < iterations; i++)
        work.run(work.state);
    t->ns += ns_of(CLOCK_MONOTONIC) - begin;
    t->cpu_ns += ns_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

static int run_elsewhere(turn *t, bench_workload work, uint64_t iterations, attn_error *error) {
    bench_elapsed took;
    if (work.run_elsewhere(work.state, iterations, &took, error))
        return -1;
    *t = (turn){(uint64_t)(1e9 * took.seconds), (uint64_t)(1e9 * took.cpu_seconds)};
    return 0;
}

static int run_turn(turn *turned, bench_session *session, uint64_t iterations, attn_error *error) {
    turn t = {0, 0};
    bool cold;
    bench_workload work = bench_session_begin(session, &cold);
    if (work.run_elsewhere)
        return run_elsewhere(turned, work, iterations, error);
    if (!cold)
        time_region(&t, work, iterations);
    for (uint64_t i = 0; cold && i < iterations; i++) {
        bench_evict();
        time_region(&t, work, 1);
    }
    *turned = t;
    return 0;
}

int bench_turns_run(bench_session *session, attn_error *error) {
    char line[64];
    uint64_t iterations = 0;
    int order = 0;
    if (session->count != 1)
        return attn_fail(error, "--turns: expected one case");
    if (bench_session_enter(&session->entries[0]))
        return 0;
    printf("ready %d\n", BENCH_TURNS_VERSION);
    while (!fflush(stdout) && fgets(line, sizeof line, stdin) &&
           (order = read_order(line, &iterations, error)) > 0) {
        turn t;
        if (run_turn(&t, session, iterations, error))
            return -1;
        printf("done %" PRIu64 " %" PRIu64 "\n", t.ns, t.cpu_ns);
    }
    return order < 0 ? -1 : 0;
}
