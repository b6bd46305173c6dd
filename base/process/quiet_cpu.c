#define _GNU_SOURCE /* sched_getaffinity */
#include "base/process/quiet_cpu.h"

#include "base/process/child.h"
#include "base/process/core_types.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { STAT_SIZE = 1 << 16 }; /* lines of CPUs come first */
static const struct timespec WATCHED = {.tv_nsec = 300000000L};
static const double ALIKE =
    0.2; /* parts of that time: with ticks of 10 ms, smaller differences say nothing */

/* Ticks of the CPU: idle ones, and all. false: no line of it. */
static bool read_ticks(const char *stat, int cpu, double *idle, double *all) {
    char start[32];
    double ticks[8]; /* user, nice, system, idle, iowait, irq, softirq, steal */
    int length = snprintf(start, sizeof start, "\ncpu%d ", cpu);
    const char *line = strstr(stat, start);
    if (!line || sscanf(line + length, "%lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1], &ticks[2],
                        &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) != 8)
        return false;
    *idle = ticks[3] + ticks[4];
    *all = 0;
    for (int i = 0; i < 8; i++)
        *all += ticks[i];
    return true;
}

/* The part of the time in which it had nothing to do; NaN: unknown. */
static double idle_part(const char *before, const char *after, int cpu) {
    double idle[2], all[2];
    if (!read_ticks(before, cpu, &idle[0], &all[0]) || !read_ticks(after, cpu, &idle[1], &all[1]) ||
        !(all[1] > all[0]))
        return NAN;
    return (idle[1] - idle[0]) / (all[1] - all[0]);
}

int quiet_cpu_of(const char *before, const char *after, const cpu_set_t *allowed) {
    double most = NAN;
    int last = -1;
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, allowed))
            most = fmax(most, idle_part(before, after, i));
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, allowed) && idle_part(before, after, i) >= most - ALIKE)
            last = i;
    return last;
}

static void read_stat(char text[STAT_SIZE]) {
    FILE *stream = fopen("/proc/stat", "r");
    size_t size = stream ? fread(text, 1, STAT_SIZE - 1, stream) : 0;
    text[size] = '\0';
    if (stream)
        fclose(stream);
}

int quiet_cpu_pick(int asked, attn_error *error) {
    static char before[STAT_SIZE], after[STAT_SIZE];
    cpu_set_t allowed;
    int last = child_pick_cpu(asked, error);
    if (last < 0 || asked >= 0 || sched_getaffinity(0, sizeof allowed, &allowed) || CPU_COUNT(&allowed) < 2)
        return last;
    core_types_fastest(&allowed, NULL);
    read_stat(before);
    nanosleep(&WATCHED, NULL);
    read_stat(after);
    int quiet = quiet_cpu_of(before, after, &allowed);
    return quiet < 0 ? last : quiet;
}
