#include "bench/case_threads.h"

#include "bench/kind.h"

/* The first `count` of a set. */
static void list_cpus(int *cpus, size_t count, const cpu_set_t *allowed) {
    size_t found = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && found < count; cpu++)
        if (CPU_ISSET((size_t)cpu, allowed))
            cpus[found++] = cpu;
}

int case_threads_open(case_threads *t, size_t count, attn_error *error) {
    int cpus[ATTN_THREADS_MAX];
    cpu_set_t own;
    *t = (case_threads){0};
    if (count <= 1)
        return 0;
    if (sched_getaffinity(0, sizeof t->before, &t->before) || (size_t)CPU_COUNT(&t->before) < count) {
        attn_fail_as(error, ATTN_ERROR_UNSUPPORTED, "t: %zu threads, and this process may use %d CPUs", count,
                     CPU_COUNT(&t->before));
        return BENCH_UNSUPPORTED;
    }
    list_cpus(cpus, count, &t->before);
    if (attn_threads_open(&t->threads, count, cpus, error))
        return -1;
    CPU_ZERO(&own);
    CPU_SET((size_t)cpus[0], &own);
    sched_setaffinity(0, sizeof own, &own);
    return 0;
}

void case_threads_close(case_threads *t) {
    if (!t->threads)
        return;
    attn_threads_close(t->threads);
    sched_setaffinity(0, sizeof t->before, &t->before);
    *t = (case_threads){0};
}
