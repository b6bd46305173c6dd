#include "harness/command.h"
#include "harness/counters/counter_set.h"
#include "harness/table.h"

#include <string.h>

static const table_column columns[] = {{"event", "Event", NULL},
                                       {"description", "What it counts", NULL},
                                       {"available", "Available", NULL},
                                       {"source", "Source", NULL},
                                       {"papi_event", "PAPI's name", NULL},
                                       {"reason", "Why not", NULL},
                                       {0}};

static void add_slot(table *t, const counter_slot *slot) {
    table_add(t, json_pack("{ss ss sb ss* ss* ss*}", "event", slot->event->name, "description",
                           slot->event->description, "available", slot->source != NULL, "source",
                           slot->source ? slot->source->name : NULL, "papi_event", slot->event->papi,
                           "reason", slot->source ? NULL : slot->reason));
}

static int list(const char *sources, table_format format, attn_error *error) {
    counter_set set;
    if (counter_set_open(&set, counter_sources(sources), error))
        return -1;
    table t;
    table_init(&t, "Counters on this machine", columns);
    for (size_t i = 0; i < set.count; i++)
        add_slot(&t, &set.slots[i]);
    int result = table_write(&t, format, stdout, error);
    table_free(&t);
    counter_set_close(&set);
    return result;
}

int cmd_counters(int argc, char **argv) {
    char *format_word = "md", *sources = "auto";
    struct poptOption options[] = {
        {"format", '\0', POPT_ARG_STRING, &format_word, 0, "md (default), csv or json", "FORMAT"},
        {"counters", '\0', POPT_ARG_STRING, &sources, 0, "auto (default), papi, perf or off", "SOURCES"},
        POPT_TABLEEND};
    const char *const *words;
    int status = STATUS_OK;
    attn_error error = {0};
    if (!command_options(argc, argv, "list",
                         "list: every event that a sweep would like to count, where it comes from on this "
                         "machine, or why it is unavailable.",
                         options, &words, &status))
        return status;
    static const char *const actions[] = {"list", NULL}, *const formats[] = {"md", "csv", "json", NULL};
    if (!words[0] || words[1]) {
        attn_fail(&error, "expected one action: list");
        return command_fail(argv[0], &error);
    }
    int format = command_choice("--format", format_word, formats, &error);
    if (format < 0 || command_choice("--counters", sources, counter_source_words, &error) < 0 ||
        command_choice("counters", words[0], actions, &error) < 0 ||
        list(sources, (table_format)format, &error))
        return command_fail(argv[0], &error);
    return STATUS_OK;
}
