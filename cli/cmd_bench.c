/* attnbench bench: the measuring process, with counters around its timed regions. */
#include "base/home.h"
#include "cli/frame/command.h"
#include "harness/counters/counter_set.h"
#include "harness/counters/group.h"

#include "attn/alloc.h"
#include "bench/bench.h"

#include <stdio.h>
#include <string.h>

/* What is ours of the command line; all the rest is bench_main's. */
typedef struct bench_options {
    const char *counters, *group, *events; /* NULL: without a value, not given, not given */
} bench_options;

/* Takes "--name value" or "--name=value" out of argv, as often as it is there; *value is left alone when it
 * is not. */
static void take_option(int *argc, char **argv, const char *name, const char **value) {
    size_t length = strlen(name);
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        if (strncmp(argv[i], name, length) || (argv[i][length] && argv[i][length] != '='))
            argv[kept++] = argv[i];
        else if (argv[i][length])
            *value = argv[i] + length + 1;
        else
            *value = ++i < *argc ? argv[i] : NULL;
    }
    *argc = kept;
    argv[kept] = NULL;
}

/* Those of a list of names "a,b", or all of the group. */
static int pick_events(const counter_event **events, size_t *count, const counter_group *group,
                       const char *names, attn_error *error) {
    *count = 0;
    if (!names) {
        memcpy(events, group->events, group->count * sizeof *events);
        *count = group->count;
    }
    for (const char *at = names; at && *at; at += strspn(at, ",")) {
        char name[64];
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        const counter_event *event = group_event(group, name);
        if (!event || *count == GROUP_EVENTS_MAX)
            return attn_fail(error, "--events %s: %s is not an event of the group", names, name);
        events[(*count)++] = event;
        at += length;
    }
    return 0;
}

static int open_counters(counter_set *set, counter_group *group, const bench_options *o, attn_error *error) {
    const counter_event *events[GROUP_EVENTS_MAX];
    size_t count;
    if (option_needs("--counters SOURCES", o->counters, error) ||
        option_choice("--counters", o->counters, counter_source_words, error) < 0)
        return -1;
    if (o->events && !o->group)
        return attn_fail(error, "--events needs --group");
    if (!o->group)
        return counter_set_open(set, counter_sources(o->counters), error);
    if (group_read(group, o->group, error) || pick_events(events, &count, group, o->events, error))
        return -1;
    return counter_set_open_events(set, counter_sources(o->counters), events, count, error);
}

int cmd_bench(int argc, char **argv) {
    attn_error error = {0};
    counter_set counters = {0};
    counter_group group = {0};
    bench_options o = {.counters = "auto"};
    int status = -1;
    take_option(&argc, argv, "--counters", &o.counters);
    take_option(&argc, argv, "--group", &o.group);
    take_option(&argc, argv, "--events", &o.events);
    char *cases = home_path("bench/cases.txt", &error);
    if (cases && !open_counters(&counters, &group, &o, &error)) {
        bench_probe probe = counter_set_probe(&counters);
        status = bench_main(argc, argv, cases, &probe);
    }
    counter_set_close(&counters);
    group_free(&group);
    attn_free(cases);
    return status < 0 ? command_fail(argv[0], &error) : status;
}
