/* Groups of counters, as data (harness/counters/groups/NAME.yaml): what to count together, and formulas over it.
 *
 *   summary: one line for people
 *   needs: what a machine has to have
 *   events: [cycles, instructions]    of counter_events
 *   natives:                          events of some CPUs only, by PAPI's native names, or by those of the kernel's
 *     - {name: fp_any, about: what it is, papi: [names of it, the first that is there counts],
 *        perf: [slots, power/energy-pkg/, "cpu/event=0x3c,umask=0x0/"],    PMUs (source/pmu_devices.h)
 *        cpu: AuthenticAMD-26-.*}     on these CPUs only (cpu_identity.h)
 *   constants:                        numbers of the CPU; of one name the first that is this CPU's
 *     - {name: width, about: what it is, value: 6, cpu: AuthenticAMD-25-.*}
 *     - {name: width, about: what it is, caps: slots}    what its PMU says (pmu_capability)
 *   formulas:                         over all; of a list the first whose events were counted
 *     - {name: ipc, about: what it is, formula: instructions / cycles}
 */
#ifndef HARNESS_COUNTERS_GROUP_H
#define HARNESS_COUNTERS_GROUP_H

#include "harness/counters/counter_source.h"

enum { GROUP_EVENTS_MAX = 30, GROUP_FORMULAS_MAX = 24, GROUP_CHOICES_MAX = 6, GROUP_CONSTANTS_MAX = 16 };

typedef struct group_formula {
    char *name, *about;
    size_t choices;
    char *choice[GROUP_CHOICES_MAX];
} group_formula;

typedef struct group_constant {
    char *name;
    double value; /* NaN: of other CPUs */
} group_constant;

typedef struct counter_group {
    char *name, *summary, *needs;
    size_t count; /* all events, of either kind */
    const counter_event *events[GROUP_EVENTS_MAX];
    size_t natives;
    counter_event native[GROUP_EVENTS_MAX]; /* some of `events` point here: do not copy the group */
    size_t constants;
    group_constant constant[GROUP_CONSTANTS_MAX];
    size_t formulas;
    group_formula formula[GROUP_FORMULAS_MAX];
} counter_group;

/* `which`: as in home_named_file (base/home.h), of harness/counters/groups. Free with group_free (a zeroed one is fine
 * too). */
int group_read(counter_group *group, const char *which, attn_error *error);

/* From text in memory; `file` stands for the file in messages. */
int group_parse(counter_group *group, const char *text, size_t size, const char *file, attn_error *error);
void group_free(counter_group *group);

/* All groups of that folder, by name. Free with group_list_free. */
typedef struct group_list {
    size_t count;
    counter_group *groups;
} group_list;
int group_list_read(group_list *list, attn_error *error);
void group_list_free(group_list *list);

/* The event of that name, or NULL. */
const counter_event *group_event(const counter_group *group, const char *name);

/* Whether the group has a constant of that name; NaN where none of these is of this CPU. */
bool group_constant_find(double *value, const counter_group *group, const char *name);

#endif
