#define _GNU_SOURCE /* sched_getaffinity */
#include "base/process/pool.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

typedef struct slot {
    child_talk talk; /* pid 0: free */
    int end;         /* becomes readable with the child's end */
    int piece, cpu;
} slot;

typedef struct piece_work {
    const pool *pool;
    int piece;
} piece_work;

static int do_piece(void *context) {
    const piece_work *w = context;
    child_catch_signals(); /* as the parent's were unblocked for a program */
    return w->pool->work(w->pool->context, w->piece);
}

size_t pool_cpus(void) {
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) ? 1 : (size_t)CPU_COUNT(&allowed);
}

/* The allowed CPU number n, from the last; -1 beyond them: not pinned. */
static int nth_cpu(size_t n) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return -1;
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
        if (CPU_ISSET((size_t)cpu, &allowed) && !n--)
            return cpu;
    return -1;
}

static int start(slot *s, const pool *p, int piece, attn_error *error) {
    piece_work w = {p, piece};
    const child_place place = {.cpu = s->cpu};
    s->piece = piece;
    if (child_start_call(&s->talk, do_piece, &w, &place, error))
        return -1;
    s->end = pidfd_open(s->talk.pid, 0);
    return s->end < 0 ? attn_fail(error, "waiting for a process: %s", strerror(errno)) : 0;
}

static void finish(slot *s, child_result *result) {
    if (s->end >= 0)
        close(s->end);
    s->end = -1;
    child_end(&s->talk, result);
}

/* Gives free slots something to do. *running: how many then do; *left: whether there may be more. */
static int fill(slot *slots, const pool *p, size_t *running, bool *left, attn_error *error) {
    *running = 0;
    for (size_t i = 0; i < p->jobs; i++) {
        if (!slots[i].talk.pid && *left) {
            int piece = p->next(p->context);
            *left = piece != POOL_DONE;
            if (piece >= 0 && start(&slots[i], p, piece, error))
                return -1;
        }
        *running += slots[i].talk.pid > 0;
    }
    return 0;
}

static int wait_for_end(slot *slots, const pool *p, attn_error *error) {
    struct pollfd polled[POOL_JOBS_MAX];
    for (size_t i = 0; i < p->jobs; i++)
        polled[i] = (struct pollfd){slots[i].talk.pid ? slots[i].end : -1, POLLIN, 0};
    if (child_poll(polled, p->jobs, clock_now() + CHILD_LIMIT, error) < 0)
        return -1;
    for (size_t i = 0; i < p->jobs; i++) {
        child_result result;
        if (polled[i].fd < 0 || !polled[i].revents)
            continue;
        finish(&slots[i], &result);
        if (p->ended(p->context, slots[i].piece, &result, error))
            return -1;
    }
    return 0;
}

int pool_run(const pool *p, attn_error *error) {
    slot slots[POOL_JOBS_MAX];
    size_t running;
    bool left = true;
    int failed = 0;
    for (size_t i = 0; i < p->jobs; i++)
        slots[i] = (slot){.end = -1, .cpu = nth_cpu(i)};
    do {
        failed = fill(slots, p, &running, &left, error);
        if (!failed && running)
            failed = wait_for_end(slots, p, error);
    } while (!failed && (running || left));
    for (size_t i = 0; i < p->jobs; i++) {
        child_result result;
        if (slots[i].talk.pid)
            finish(&slots[i], &result);
    }
    return failed;
}
