#define _GNU_SOURCE /* sched_getaffinity */
#include "base/process/core_types.h"

#include "base/process/system_file.h"

#include <stdlib.h>

/* Single cores of one type differ by a few per cent (favoured cores); types differ by far more. */
static const double ALIKE = 0.85;

static double read_number(const char *root, int cpu, const char *name) {
    char text[64];
    system_file_line(text, sizeof text, "%s/sys/devices/system/cpu/cpu%d/%s", root ? root : "", cpu, name);
    return strtod(text, NULL);
}

static double speed_of(const char *root, int cpu) {
    double capacity = read_number(root, cpu, "cpu_capacity");
    return capacity > 0 ? capacity : read_number(root, cpu, "cpufreq/cpuinfo_max_freq");
}

void core_types_fastest(cpu_set_t *cpus, const char *root) {
    double speed[CPU_SETSIZE], fastest = 0;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        speed[i] = CPU_ISSET((size_t)i, cpus) ? speed_of(root, i) : 0;
        fastest = speed[i] > fastest ? speed[i] : fastest;
    }
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, cpus) && speed[i] < ALIKE * fastest)
            CPU_CLR((size_t)i, cpus);
}

static void all_of(cpu_set_t *cpus, const char *root) {
    CPU_ZERO(cpus);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        char text[8];
        if (system_file_line(text, sizeof text, "%s/sys/devices/system/cpu/cpu%d/cache/index0/level", root,
                             i))
            CPU_SET((size_t)i, cpus);
    }
}

int core_types_subject(const char *root) {
    cpu_set_t cpus;
    if (root && *root)
        all_of(&cpus, root);
    else if (sched_getaffinity(0, sizeof cpus, &cpus))
        return 0;
    core_types_fastest(&cpus, root);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, &cpus))
            return i;
    return 0;
}
