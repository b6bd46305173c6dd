#include "bench/turns/turns.h"

#include "bench/evict.h"
#include "bench/turns/move.h"
#include "bench/turns/turn_lines.h"

#include <inttypes.h>
#include <stdbool.h>
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

typedef enum order_kind { QUIT, GO, CASE, MOVE } order_kind;

enum { MOST_TURNS = 1 << 16 };

typedef struct order {
    order_kind kind;
    uint64_t iterations, turns; /* GO */
    uint64_t hash;              /* CASE */
    const char *row;
} order;

/* Reads the whole number at *text, and moves *text behind it. */
static bool read_number(const char **text, uint64_t least, uint64_t *number) {
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    *number = strtoull(*text, &end, 10);
    *text = end;
    return *number >= least;
}

static bool read_go(order *o, const char *text) {
    *o = (order){.kind = GO, .turns = 1};
    if (!read_number(&text, 1, &o->iterations) || o->iterations > MOST_ITERATIONS)
        return false;
    if (*text == ' ') {
        text++;
        if (!read_number(&text, 1, &o->turns) || o->turns > MOST_TURNS)
            return false;
    }
    return !*text;
}

static bool read_case(order *o, const char *text) {
    *o = (order){.kind = CASE};
    if (!read_number(&text, 0, &o->hash) || *text != ' ')
        return false;
    o->row = text + 1;
    return true;
}

/* The row of the order points into `line`. */
static int read_order(order *o, char *line, attn_error *error) {
    size_t length = strcspn(line, "\n");
    bool known = line[length] == '\n';
    line[length] = '\0';
    if (!strncmp(line, "go ", 3))
        known = known && read_go(o, line + 3);
    else if (!strncmp(line, "case ", 5))
        known = known && read_case(o, line + 5);
    else if (!strcmp(line, "move") || !strcmp(line, "quit"))
        *o = (order){.kind = *line == 'm' ? MOVE : QUIT};
    else
        known = false;
    return known ? 0 : attn_fail(error, "--turns: expected case HASH ROW, go N, move or quit: %.40s", line);
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

static int go(bench_session *session, const order *o, attn_error *error) {
    for (uint64_t i = 0; i < o->turns; i++) {
        turn t;
        if (run_turn(&t, session, o->iterations, error))
            return -1;
        printf("done %" PRIu64 " %" PRIu64 "\n", t.ns, t.cpu_ns);
    }
    return 0;
}

/* 1: the case cannot be measured, and the session's status says so. */
static int enter(bench_session *session, int version) {
    if (bench_session_enter(&session->entries[0]))
        return 1;
    printf("ready %d\n", version);
    return 0;
}

static int change_case(bench_session *session, const order *o, attn_error *error) {
    bench_move_forget();
    bench_move_code();
    return bench_session_switch(session, o->row, o->hash, error) ? -1 : enter(session, BENCH_TURNS_VERSION);
}

/* 1 ends the program. */
static int follow(bench_session *session, const order *o, attn_error *error) {
    switch (o->kind) {
    case QUIT:
        return 1;
    case CASE:
        return change_case(session, o, error);
    case MOVE:
        printf("moved %zu\n", session->threads.threads ? 0 : bench_move());
        return 0;
    case GO:
        break;
    }
    return session->current ? go(session, o, error) : attn_fail(error, "--turns: go without a case");
}

int bench_turns_run(bench_session *session, attn_error *error) {
    char line[BENCH_NAME_MAX + 64];
    order o = {0};
    int end = session->count ? enter(session, BENCH_TURNS_ONE_CASE) : 0;
    while (!end && !fflush(stdout) && fgets(line, sizeof line, stdin))
        end = read_order(&o, line, error) ? -1 : follow(session, &o, error);
    return end < 0 ? -1 : 0;
}
