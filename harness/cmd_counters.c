#include "harness/command.h"
#include "harness/counters/counter_set.h"
#include "harness/counters/validate.h"
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

static const table_column metric_columns[] = {{"name", "Metric", NULL},       {"source", "Source", NULL},
                                              {"status", "Status", NULL},     {"expected", "Expected", NULL},
                                              {"measured", "Measured", NULL}, {"kernel", "Kernel", NULL},
                                              {"reason", "Reason", NULL},     {0}};

/* In JSON the list stands in an object; a table elsewhere. */
static int validate(const char *sources, table_format format, attn_error *error) {
    json_t *metrics = validate_all(sources, error);
    if (!metrics)
        return -1;
    if (format == TABLE_JSON) {
        json_t *all = json_pack("{so}", "metrics", metrics);
        int bad = !all || json_dumpf(all, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;
        json_decref(all);
        return bad ? attn_fail(error, "output cannot be written") : 0;
    }
    table t;
    size_t i;
    json_t *metric;
    table_init(&t, "Counters checked against kernels with known answers", metric_columns);
    json_array_foreach(metrics, i, metric) {
        table_add(&t, json_incref(metric));
    }
    int result = table_write(&t, format, stdout, error);
    table_free(&t);
    json_decref(metrics);
    return result;
}

enum { LIST, VALIDATE };
static const char *const actions[] = {"list", "validate", NULL};
static const char description[] =
    "list: every event that a sweep would like to count, where it comes from on this machine, or why it is "
    "unavailable.\n"
    "validate: every event of every source against kernels with known answers: trusted (within 2%), scaled "
    "(off by\na stable factor), rejected, or unavailable.";

int cmd_counters(int argc, char **argv) {
    char *format_word = "md", *sources = NULL;
    struct poptOption options[] = {
        {"format", '\0', POPT_ARG_STRING, &format_word, 0, "md (default), csv or json", "FORMAT"},
        {"counters", '\0', POPT_ARG_STRING, &sources, 0,
         "auto, papi, perf, callgrind or off (default: list auto, validate all)", "SOURCES"},
        POPT_TABLEEND};
    const char *const *words;
    int status = STATUS_OK;
    attn_error error = {0};
    if (!command_options(argc, argv, "list|validate", description, options, &words, &status))
        return status;
    static const char *const formats[] = {"md", "csv", "json", NULL};
    if (!words[0] || words[1]) {
        attn_fail(&error, "expected one action: list or validate");
        return command_fail(argv[0], &error);
    }
    int format = command_choice("--format", format_word, formats, &error), action = -1;
    if (format < 0 || (sources && command_choice("--counters", sources, counter_source_words, &error) < 0) ||
        (action = command_choice("counters", words[0], actions, &error)) < 0)
        return command_fail(argv[0], &error);
    int result = action == LIST ? list(sources ? sources : "auto", (table_format)format, &error)
                                : validate(sources, (table_format)format, &error);
    return result ? command_fail(argv[0], &error) : STATUS_OK;
}
