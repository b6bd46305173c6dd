#define _GNU_SOURCE /* sched_getaffinity, sched_setaffinity */
#include "base/process/pinned_threads.h"

/* The first `count` of a set. */
static void list_cpus(int *cpus, size_t count, const cpu_set_t *allowed) {
    size_t found = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && found < count; cpu++)
        if (CPU_ISSET((size_t)cpu, allowed))
            cpus[found++] = cpu;
}

int pinned_threads_open(pinned_threads *t, size_t count, attn_error *error) {
    int cpus[ATTN_THREADS_MAX];
    cpu_set_t own;
    *t = (pinned_threads){0};
    if (count <= 1)
        return 0;
    if (sched_getaffinity(0, sizeof t->before, &t->before) || (size_t)CPU_COUNT(&t->before) < count)
        return attn_fail_as(error, ATTN_ERROR_UNSUPPORTED, "%zu threads, and this process may use %d CPUs",
                            count, CPU_COUNT(&t->before));
    list_cpus(cpus, count, &t->before);
    if (attn_threads_open(&t->threads, count, cpus, error))
        return -1;
    CPU_ZERO(&own);
    CPU_SET((size_t)cpus[0], &own);
    sched_setaffinity(0, sizeof own, &own);
    return 0;
}

void pinned_threads_close(pinned_threads *t) {
    if (!t->threads)
        return;
    attn_threads_close(t->threads);
    sched_setaffinity(0, sizeof t->before, &t->before);
    *t = (pinned_threads){0};
}
