/* attnbench counters: what can be counted here, and whether it is right. */
#include "cli/frame/command.h"
#include "harness/counters/counter_set.h"
#include "harness/counters/counters_tables.h"
#include "harness/counters/group.h"
#include "harness/counters/validate/validate.h"

static const char *const actions[] = {"list", "validate", "groups", "events", NULL};
enum { LIST, VALIDATE, GROUPS, EVENTS };
static const char description[] =
    "list: every event that a sweep would like to count, where it comes from on this machine\n"
    "      and whether it is right, or why it is unavailable.\n"
    "validate: every event of every source against kernels with known answers: trusted (within 2%),\n"
    "      scaled (off by a stable factor), rejected, unchecked (no kernel has a known answer), or\n"
    "      unavailable.\n"
    "groups: events that are counted together, and what is computed from them (sweep --group).\n"
    "events: what the kernel's PMUs offer by name, for groups of your own (docs/counters.md).";

typedef struct counters_options {
    char *format, *sources, *group;
} counters_options;

static int choose(int *action, int *format, const counters_options *o, const char *const *words,
                  attn_error *error) {
    static const char *const formats[] = {"md", "csv", "json", NULL};
    if (!words[0])
        return attn_fail(error, "expected one action: list, validate, groups or events");
    if (words[1])
        return attn_fail(error, "%s: unexpected argument after %s", words[1], words[0]);
    *action = option_choice("counters", words[0], actions, error);
    *format = option_choice("--format", o->format, formats, error);
    if (*action < 0 || *format < 0)
        return -1;
    if (o->sources && (*action == GROUPS || *action == EVENTS))
        return attn_fail(error, "--counters: goes with list and validate, %s asks no source", words[0]);
    if (o->group && *action == EVENTS)
        return attn_fail(error, "--group: goes with list, validate and groups");
    return o->sources && option_choice("--counters", o->sources, counter_source_words, error) < 0 ? -1 : 0;
}

static int run(int action, table_format format, const counters_options *o, attn_error *error) {
    counter_group group = {0};
    counter_events_list all;
    if (o->group && group_read(&group, o->group, error))
        return -1;
    counter_events_all(&all, o->group ? &group : NULL);
    int result = action == LIST       ? counters_list(o->sources ? o->sources : "auto", &all, format, error)
                 : action == VALIDATE ? counters_validate(o->sources, &all, format, error)
                 : action == EVENTS   ? counters_events(format, error)
                                      : counters_groups(o->group ? &group : NULL, format, error);
    group_free(&group);
    return result;
}

int cmd_counters(int argc, char **argv) {
    counters_options o = {.format = "md"};
    struct poptOption options[] = {
        {"format", '\0', POPT_ARG_STRING, &o.format, 0, "md (default), csv or json", "FORMAT"},
        {"counters", '\0', POPT_ARG_STRING, &o.sources, 0,
         "auto, papi, perf, callgrind or off (default: list auto, validate all)", "SOURCES"},
        {"group", '\0', POPT_ARG_STRING, &o.group, 0, "events of this group only (a name, or a file)",
         "GROUP"},
        POPT_TABLEEND};
    const char *const *words;
    int status = STATUS_OK, action = LIST, format = TABLE_MD;
    attn_error error = {0};
    if (!command_options(argc, argv, "list|validate|groups|events", description, options, &words, &status))
        return status;
    if (choose(&action, &format, &o, words, &error) || run(action, (table_format)format, &o, &error))
        return command_fail(argv[0], &error);
    return STATUS_OK;
}
