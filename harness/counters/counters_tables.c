#define _GNU_SOURCE /* sched_getcpu */
#include "harness/counters/counters_tables.h"

#include "base/text/json_write.h"
#include "base/text/table_write.h"
#include "harness/counters/counter_set.h"
#include "harness/counters/source/perf_refusal.h"
#include "harness/counters/source/pmu_devices.h"
#include "harness/counters/validate/validate.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

void counter_events_all(counter_events_list *list, const counter_group *group) {
    list->count = group ? group->count : counter_event_count;
    for (size_t i = 0; i < list->count; i++)
        list->events[i] = group ? group->events[i] : &counter_events[i];
}

static int print(text_table *t, table_format format, attn_error *error) {
    if (format == TABLE_MD)
        table_say_once(t, "reason", json_object_get(json_array_get(t->rows, 0), "event") ? "event" : "name");
    int result = table_write(t, format, stdout, error);
    table_free(t);
    return result;
}

static const table_column list_columns[] = {
    {"event", "Event", NULL},           {"description", "What it counts", NULL},
    {"available", "Available", NULL},   {"source", "Source", NULL},
    {"validation", "Validation", NULL}, {"papi_event", "Counted as", NULL},
    {"reason", "Why not", NULL},        {0}};

/* The reason is that of what is lacking: the event, or trust in it. */
static void add_slot(text_table *t, const counter_slot *slot, const json_t *metrics) {
    const counter_event *event = slot->event;
    const char *source = slot->source ? counter_slot_label(slot) : NULL, *reason = slot->reason;
    const json_t *simulated = validation_find(metrics, event->name, "callgrind");
    if (!source && simulated && strcmp(validation_status(simulated), "unavailable"))
        source = "callgrind"; /* not in this process, but in one that runs under it */
    const json_t *metric = source ? validation_find(metrics, event->name, source) : NULL;
    if (source)
        reason = json_string_value(json_object_get(metric, "reason"));
    else if (simulated)
        reason = json_string_value(json_object_get(simulated, "reason"));
    table_add(t, json_pack("{ss ss sb ss* ss* ss* ss*}", "event", event->name, "description",
                           event->description, "available", source != NULL, "source", source, "validation",
                           metric ? validation_status(metric) : NULL, "papi_event",
                           slot->as[0]   ? slot->as
                           : event->papi ? event->papi
                                         : event->kernel,
                           "reason", reason));
}

int counters_list(const char *sources, const counter_events_list *list, table_format format,
                  attn_error *error) {
    counter_set set;
    json_t *metrics = validate_metrics(sources, list->events, list->count, error);
    if (!metrics)
        return -1;
    if (counter_set_open_events(&set, counter_sources(sources), list->events, list->count, error)) {
        json_decref(metrics);
        return -1;
    }
    text_table t;
    table_init(&t, "Counters on this machine", list_columns);
    for (size_t i = 0; i < set.count; i++)
        add_slot(&t, &set.slots[i], metrics);
    counter_set_close(&set);
    json_decref(metrics);
    return print(&t, format, error);
}

static const table_column metric_columns[] = {{"name", "Metric", NULL},       {"source", "Source", NULL},
                                              {"status", "Status", NULL},     {"expected", "Expected", NULL},
                                              {"measured", "Measured", NULL}, {"kernel", "Kernel", NULL},
                                              {"reason", "Reason", NULL},     {0}};

int counters_validate(const char *sources, const counter_events_list *list, table_format format,
                      attn_error *error) {
    json_t *metrics = validate_metrics(sources, list->events, list->count, error);
    if (!metrics)
        return -1;
    if (format == TABLE_JSON) {
        json_t *all = json_pack("{so}", "metrics", metrics);
        int result = json_print(all, JSON_INDENT(2), "output", stdout, error);
        json_decref(all);
        return result;
    }
    text_table t;
    size_t i;
    json_t *metric;
    table_init(&t, "Counters checked against kernels with known answers", metric_columns);
    json_array_foreach(metrics, i, metric) {
        table_add(&t, json_incref(metric));
    }
    json_decref(metrics);
    return print(&t, format, error);
}

static const table_column event_columns[] = {{"event", "Event", NULL},   {"terms", "Terms", NULL},
                                             {"counts", "Counts", NULL}, {"scope", "Scope", NULL},
                                             {"why", "Why not", NULL},   {0}};

typedef struct event_listing {
    text_table t;
    int cpu;
    perf_surroundings around;
} event_listing;

static int add_kernel_event(void *context, const char *device, const char *name, const char *terms,
                            bool own) {
    event_listing *l = context;
    char text[2 * PMU_NAME_MAX + 4], why[160] = "";
    attn_error error = {0};
    pmu_event event;
    snprintf(text, sizeof text, "%.63s/%.63s/", device, name);
    bool counts = false;
    if (pmu_event_find(&event, text, l->cpu, &error)) {
        snprintf(why, sizeof why, "%.150s", error.message);
    } else {
        counts = perf_counts_alone(&event.code);
        if (!counts)
            perf_refusal(why, sizeof why, perf_try(&event.code), &l->around);
    }
    table_add(&l->t, json_pack("{ss ss sb ss ss*}", "event", text, "terms", terms, "counts", counts, "scope",
                               own ? "thread" : "machine", "why", counts ? NULL : why));
    return 0;
}

int counters_events(table_format format, attn_error *error) {
    event_listing l = {.cpu = sched_getcpu()};
    table_init(&l.t, "Events that the kernel offers by name", event_columns);
    perf_surroundings_read(&l.around, NULL);
    l.around.pmu = !perf_try_pmu();
    pmu_events_visit(l.cpu, add_kernel_event, &l);
    return print(&l.t, format, error);
}

static const table_column group_columns[] = {{"group", "Group", NULL},
                                             {"kind", "Kind", NULL},
                                             {"name", "Name", NULL},
                                             {"about", "What it is", NULL},
                                             {"formula", "Formula", NULL},
                                             {"needs", "Needs", NULL},
                                             {0}};

static void add_formula(text_table *t, const counter_group *g, const group_formula *f) {
    for (size_t i = 0; i < f->choices; i++)
        table_add(t, json_pack("{ss ss ss ss ss}", "group", g->name, "kind", i ? "or else" : "formula",
                               "name", f->name, "about", f->about, "formula", f->choice[i]));
}

/* Of the group's own, and no event that all groups may name. */
static bool is_native(const counter_group *g, const counter_event *event) {
    return event >= g->native && event < g->native + g->natives;
}

static void add_group(text_table *t, const counter_group *g) {
    table_add(t, json_pack("{ss ss ss ss ss}", "group", g->name, "kind", "group", "name", g->name, "about",
                           g->summary, "needs", g->needs));
    for (size_t i = 0; i < g->count; i++)
        table_add(t, json_pack("{ss ss ss ss ss*}", "group", g->name, "kind",
                               is_native(g, g->events[i]) ? "native event" : "event", "name",
                               g->events[i]->name, "about", g->events[i]->description, "needs",
                               !is_native(g, g->events[i]) ? NULL
                               : g->events[i]->papi        ? g->events[i]->papi
                                                           : g->events[i]->kernel));
    for (size_t i = 0; i < g->formulas; i++)
        add_formula(t, g, &g->formula[i]);
}

int counters_groups(const counter_group *group, table_format format, attn_error *error) {
    group_list list = {0};
    text_table t;
    if (!group && group_list_read(&list, error))
        return -1;
    table_init(&t, "Groups of counters", group_columns);
    if (group)
        add_group(&t, group);
    for (size_t i = 0; i < list.count; i++)
        add_group(&t, &list.groups[i]);
    group_list_free(&list);
    return print(&t, format, error);
}
