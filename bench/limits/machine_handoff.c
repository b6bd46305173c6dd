#define _GNU_SOURCE /* pthread_attr_setaffinity_np, sched_getaffinity */
/* machine/handoff: a line goes to another CPU and back. A step is one way. */
#include "bench/limits/machine_limit.h"

#include "attn/alloc.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

enum { ROUNDS = 1 << 12, PATIENCE = 1 << 20 }; /* PATIENCE: looks until it lets others run */

/* The partner answers 2k + 1 by 2k + 2; STOP ends it. */
#define STOP UINT64_MAX
typedef struct handoff {
    _Atomic uint64_t ball;
    char apart[128 - sizeof(uint64_t)]; /* the ball has a line of its own, and the next one */
    uint64_t answered;                  /* written by the partner before each answer */
    pthread_t partner;
} handoff;

static uint64_t wait_for(_Atomic uint64_t *ball, uint64_t wanted) {
    for (uint64_t looks = 1;; looks++) {
        uint64_t found = atomic_load_explicit(ball, memory_order_acquire);
        if (found == wanted || found == STOP)
            return found;
        if (looks % PATIENCE == 0)
            sched_yield();
    }
}

static void *answer(void *state) {
    handoff *h = state;
    for (uint64_t next = 1; wait_for(&h->ball, next) != STOP; next += 2) {
        h->answered++;
        atomic_store_explicit(&h->ball, next + 1, memory_order_release);
    }
    return NULL;
}

static void release(void *state) {
    handoff *h = state;
    atomic_store(&h->ball, STOP);
    pthread_join(h->partner, NULL);
    attn_free(h);
}

static int refuse(attn_error *error, size_t cpu, const char *why) {
    attn_fail_as(error, ATTN_ERROR_UNSUPPORTED, "cpu: %zu %s", cpu, why);
    return BENCH_UNSUPPORTED;
}

static int start_partner(handoff *h, size_t cpu, attn_error *error) {
    cpu_set_t where;
    pthread_attr_t attributes;
    CPU_ZERO(&where);
    CPU_SET(cpu, &where);
    pthread_attr_init(&attributes);
    int code = pthread_attr_setaffinity_np(&attributes, sizeof where, &where);
    code = code ? code : pthread_create(&h->partner, &attributes, answer, h);
    pthread_attr_destroy(&attributes);
    return code ? refuse(error, cpu, "may not be used by this process") : 0;
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    (void)settings;
    cpu_set_t own;
    if (c->cpu >= CPU_SETSIZE)
        return refuse(error, c->cpu, "is beyond what the kernel numbers");
    if (sched_getaffinity(0, sizeof own, &own) || CPU_COUNT(&own) != 1)
        return refuse(error, c->cpu,
                      "is a partner for a process that is held to one CPU, and this one is not");
    if (CPU_ISSET(c->cpu, &own))
        return refuse(error, c->cpu, "is the CPU that the case runs on itself");
    handoff *h = attn_alloc(1, sizeof *h, "set-up of a case", error);
    if (!h)
        return -1;
    int result = start_partner(h, c->cpu, error);
    if (result)
        attn_free(h);
    else
        *state = h;
    return result;
}

static void run(void *state) {
    handoff *h = state;
    uint64_t next = atomic_load_explicit(&h->ball, memory_order_relaxed) + 1;
    for (int i = 0; i < ROUNDS; i++, next += 2) {
        atomic_store_explicit(&h->ball, next, memory_order_release);
        wait_for(&h->ball, next + 1);
    }
}

static double off(void *state) {
    handoff *h = state;
    uint64_t before = h->answered;
    run(h);
    uint64_t answers = h->answered - before;
    return answers > ROUNDS ? (double)(answers - ROUNDS) : (double)(ROUNDS - answers);
}

static void values(const void *state, bench_emit_number *emit, void *to) {
    (void)state;
    emit(to, "flops", 0);
    emit(to, "bytes", 0);
    emit(to, "steps", 2.0 * ROUNDS);
}

const machine_limit limit_handoff = {
    .where = BENCH_HANDOFF, .prepare = prepare, .run = run, .off = off, .values = values, .release = release};
