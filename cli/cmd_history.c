/* attnbench history: results over time, and where they changed. */
#include "base/option_values.h"
#include "base/text/table_write.h"
#include "cli/frame/command.h"
#include "harness/gate/history.h"
#include "reports/page/history_page.h"

#include <math.h>
#include <stdio.h>

static const char description[] =
    "history add FILE.jsonl --results R.json   appends results of a sweep\n"
    "history show FILE.jsonl [--out DIR]       change points of every case; with --out a plot of each\n\n"
    "For machines that are quiet enough for results of different days to be compared; others: attnbench "
    "gate.";

typedef struct history_options {
    char *results, *commit, *out, *filter, *format, *min_change;
    double max_p;
    int force;
} history_options;

static const double NOT_GIVEN = -HUGE_VAL;
enum { ADD, SHOW };
static const char *const actions[] = {"add", "show", NULL};

/* Each option belongs to one of the two actions. */
static int check_action(const history_options *o, int action, attn_error *error) {
    const struct {
        const char *option;
        int action;
        bool given;
    } options[] = {{"--results", ADD, o->results},
                   {"--commit", ADD, o->commit},
                   {"--force", ADD, o->force},
                   {"--out", SHOW, o->out},
                   {"--filter", SHOW, o->filter},
                   {"--max-p", SHOW, o->max_p > NOT_GIVEN},
                   {"--min-change", SHOW, o->min_change},
                   {"--format", SHOW, o->format}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given && options[i].action != action)
            return attn_fail(error, "%s: goes with %s", options[i].option, actions[options[i].action]);
    return 0;
}

static int add(const history_options *o, const char *path, attn_error *error) {
    results r = {0};
    if (option_needs("--results", o->results, error) || results_read_times(&r, o->results, error))
        return -1;
    int result = history_add(path, &r, o->commit, o->force, error);
    results_free(&r);
    if (!result)
        printf("%s: %s appended\n", path, o->results);
    return result;
}

static void print_notes(const history_shown *s) {
    if (s->drawing.undrawn && s->drawing.missing)
        fprintf(stderr,
                "note: gnuplot is missing: %zu plots are not drawn, their data and scripts are there\n",
                s->drawing.undrawn);
    else if (s->drawing.undrawn)
        fprintf(stderr, "note: %s: %zu plots are not drawn, their data and scripts are there\n",
                s->drawing.why, s->drawing.undrawn);
    if (s->machine_changes)
        fprintf(stderr, "note: the machine changed %zu times; values before and after are not compared\n",
                s->machine_changes);
    fprintf(stderr, "%zu results of %zu cases, %zu with changes\n", s->results, s->cases, s->changed);
}

static int show(const history_options *o, const char *path, attn_error *error) {
    bool default_p = !(o->max_p > NOT_GIVEN || isnan(o->max_p));
    history_request request = {
        .file = path, .filter = o->filter, .out = o->out, .max_p = default_p ? 0.001 : o->max_p};
    int format = option_choice("--format", o->format ? o->format : "md", table_format_names, error);
    if (format < 0 ||
        word_percent(&request.min_change, "--min-change", o->min_change ? o->min_change : "1%", error))
        return -1;
    if (!(request.max_p > 0 && request.max_p < 1))
        return attn_fail(error, "--max-p %g: expected a chance between 0 and 1", request.max_p);
    history_shown shown;
    int result = history_show(&shown, &request, error);
    if (!result) {
        print_notes(&shown);
        result = table_write(&shown.changes, (table_format)format, stdout, error);
    }
    history_shown_free(&shown);
    return result;
}

int cmd_history(int argc, char **argv) {
    history_options o = {.max_p = NOT_GIVEN};
    struct poptOption options[] = {
        {"results", '\0', POPT_ARG_STRING, &o.results, 0, "add: needed: the results file", "R.json"},
        {"commit", '\0', POPT_ARG_STRING, &o.commit, 0, "add: instead of the build's", "ID"},
        {"force", '\0', POPT_ARG_NONE, &o.force, 0, "add: results of another machine than the last", NULL},
        {"out", '\0', POPT_ARG_STRING, &o.out, 0, "show: a page and a plot of each case", "DIR"},
        {"filter", '\0', POPT_ARG_STRING, &o.filter, 0, "show: only cases that it finds something in",
         "REGEX"},
        {"max-p", '\0', POPT_ARG_DOUBLE, &o.max_p, 0, "show: the largest p of a change (default: 0.001)",
         "P"},
        {"min-change", '\0', POPT_ARG_STRING, &o.min_change, 0, "show: the smallest change (default: 1%)",
         "PERCENT"},
        {"format", '\0', POPT_ARG_STRING, &o.format, 0, "show: md (default), csv, json or tex", "FORMAT"},
        POPT_TABLEEND};
    const char *const *words;
    int status = STATUS_OK, action = -1;
    attn_error error = {0};
    if (!command_options(argc, argv, "add|show FILE.jsonl", description, options, &words, &status))
        return status;
    if (!words[0] || !words[1] || words[2])
        attn_fail(&error, "expected add or show, and one file");
    else
        action = option_choice("history", words[0], actions, &error);
    if (action < 0 || check_action(&o, action, &error) ||
        (action == SHOW ? show(&o, words[1], &error) : add(&o, words[1], &error)))
        return command_fail(argv[0], &error);
    return STATUS_OK;
}
