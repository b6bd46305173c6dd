/* What `attnbench counters` prints. */
#ifndef HARNESS_COUNTERS_COUNTERS_TABLES_H
#define HARNESS_COUNTERS_COUNTERS_TABLES_H

#include "base/text/table.h"
#include "harness/counters/group.h"

typedef struct counter_events_list {
    size_t count;
    const counter_event *events[COUNTER_EVENTS_MAX];
} counter_events_list;

/* Those of the group, or all of counter_events (NULL). */
void counter_events_all(counter_events_list *list, const counter_group *group);

int counters_list(const char *sources, const counter_events_list *list, table_format format,
                  attn_error *error);

/* JSON is {"metrics": [...]}. `sources` may be NULL: all. */
int counters_validate(const char *sources, const counter_events_list *list, table_format format,
                      attn_error *error);

/* Every event file of the kernel's PMUs, each opened once to see whether it counts here. */
int counters_events(table_format format, attn_error *error);

/* One group, or all of them (NULL). */
int counters_groups(const counter_group *group, table_format format, attn_error *error);

#endif
