/* The PMUs that the kernel offers, and their events by name, from /sys/bus/event_source/devices: so a CPU that no
 * library knows yet can be counted on, and events that no preset stands for. The folder's form is the kernel's:
 * Documentation/ABI/testing/sysfs-bus-event_source-devices-{format,events}. */
#ifndef HARNESS_COUNTERS_SOURCE_PMU_DEVICES_H
#define HARNESS_COUNTERS_SOURCE_PMU_DEVICES_H

#include "attn/error.h"
#include "harness/counters/source/perf_open.h"

#include <stdbool.h>
#include <stddef.h>

/* Another folder of that form, for tests. */
#define PMU_DEVICES_VARIABLE "ATTNBENCH_PMU_DEVICES"

enum { PMU_NAME_MAX = 64, PMU_TERMS_MAX = 200 };

typedef struct pmu_event {
    perf_code code;
    char device[PMU_NAME_MAX];
    double scale;  /* units that a count stands for */
    char unit[16]; /* "Joules"; "" for plain counts */
} pmu_event;

/* The event that `text` names on this CPU:
 *   slots                          an event file of the CPU's own PMU
 *   power/energy-pkg/              an event file of that PMU
 *   cpu/event=0x3c,umask=0x0/      terms of its format files, or config=, config1=, config2=
 * -1 and why where there is no such PMU, event or term. */
int pmu_event_find(pmu_event *event, const char *text, int cpu, attn_error *error);

/* The type of the PMU of this CPU's cores where the machine has several of them (hybrid, big.LITTLE), else 0: the
 * kernel's generic events need it in the upper half of their configuration to count on the right kind of core. */
uint32_t pmu_core_type(int cpu);

/* A number that the PMU of this CPU's cores says of itself (its folder caps): "slots", … False where it does not. */
bool pmu_capability(double *value, const char *name, int cpu);

/* Calls for each event file of each PMU, in the order of names. `own` is whether the PMU counts what a thread does on
 * this CPU; others (uncore, energy) count for everybody. -1 when the visitor says so. */
typedef int pmu_event_visitor(void *context, const char *device, const char *event, const char *terms,
                              bool own);
int pmu_events_visit(int cpu, pmu_event_visitor *visit, void *context);

#endif
