#include "harness/counters/source/perf_refusal.h"

#include "base/process/system_file.h"
#include "harness/machine/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int read_number(const char *root, const char *path, int otherwise) {
    char line[32];
    int number;
    system_file_line(line, sizeof line, "%s%s", root ? root : "", path);
    return sscanf(line, "%d", &number) == 1 ? number : otherwise;
}

void perf_surroundings_read(perf_surroundings *around, const char *root) {
    machine below;
    if (root)
        machine_read(&below, root);
    *around = (perf_surroundings){
        .paranoid = read_number(root, "/proc/sys/kernel/perf_event_paranoid", PERF_NO_KERNEL_SUPPORT),
        .watchdog = read_number(root, "/proc/sys/kernel/nmi_watchdog", 0) != 0};
    snprintf(around->hypervisor, sizeof around->hypervisor, "%s",
             root ? below.hypervisor : machine_here()->hypervisor);
}

static void no_such_event(char *text, size_t size, const perf_surroundings *around) {
    if (around->pmu)
        snprintf(text, size, "the kernel knows no such event on this CPU");
    else if (around->hypervisor[0])
        snprintf(text, size,
                 "no PMU in this virtual machine (%s); its host has to offer one (QEMU: -cpu host,pmu=on)",
                 around->hypervisor);
    else
        snprintf(
            text, size,
            "the kernel knows no PMU here: a virtual machine without one, or a CPU newer than the kernel");
}

static void not_allowed(char *text, size_t size, const perf_surroundings *around) {
    if (around->everybody && around->paranoid > 0)
        snprintf(text, size,
                 "perf_event_paranoid is %d; what counts for the whole machine takes sysctl "
                 "kernel.perf_event_paranoid=0, or CAP_PERFMON",
                 around->paranoid);
    else if (around->paranoid > 2)
        snprintf(text, size,
                 "perf_event_paranoid is %d; sysctl kernel.perf_event_paranoid=2, or CAP_PERFMON, allows it",
                 around->paranoid);
    else
        snprintf(text, size,
                 "forbidden although perf_event_paranoid is %d: a container's filter (Docker: --cap-add "
                 "PERFMON allows it) or a security module",
                 around->paranoid);
}

void perf_refusal(char *text, size_t size, int why, const perf_surroundings *around) {
    if (why == ENOSYS || around->paranoid == PERF_NO_KERNEL_SUPPORT)
        snprintf(text, size, "this kernel was built without perf events");
    else if (why == ENOENT || why == EOPNOTSUPP || why == ENODEV || why == ENXIO)
        no_such_event(text, size, around);
    else if (why == EACCES || why == EPERM)
        not_allowed(text, size, around);
    else if (around->crowded || why == ENOSPC)
        snprintf(text, size, "no counter is left next to the events before it");
    else if (why == EINVAL)
        no_such_event(text, size, around);
    else if ((why == 0 || why == EBUSY) && around->watchdog)
        snprintf(text, size,
                 "no counter is free: the NMI watchdog holds one, sysctl kernel.nmi_watchdog=0 frees it");
    else if (why == 0 || why == EBUSY)
        snprintf(text, size, "no counter is free: another program holds them");
    else
        snprintf(text, size, "%s", strerror(why));
}
