/* attnbench history: results over time, and where they changed. */
#include "base/text/table.h"
#include "cli/command.h"
#include "cli/option_values.h"
#include "harness/gate/history.h"
#include "harness/gate/report/report_members.h"
#include "reports/plots/history_plots.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

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

static const table_column columns[] = {{"case", "case", NULL},
                                       {"commit", "first commit", NULL},
                                       {"date", "date", NULL},
                                       {"before", "before, ns", "%.4g"},
                                       {"after", "after, ns", "%.4g"},
                                       {"change_percent", "change", "%+.2f%%"},
                                       {"p", "p", "%.2g"},
                                       {NULL, NULL, NULL}};

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
    if (option_needs("--results", o->results, error) || results_read(&r, o->results, error))
        return -1;
    int result = history_add(path, &r, o->commit, o->force, error);
    results_free(&r);
    if (!result)
        printf("%s: %s appended\n", path, o->results);
    return result;
}

/* What show works with. */
typedef struct showing {
    const history_options *options;
    const json_t *lines;
    double min_change;
    table table;
    json_t *pictures; /* [[case, name of picture]...] */
    size_t cases, changed, undrawn;
} showing;

static void add_change(showing *s, const history_series *series, const history_change *c) {
    const json_t *line = json_array_get(s->lines, series->line[c->at]);
    table_add(&s->table,
              json_pack("{ss ss ss sf sf sf sf}", "case", series->name, "commit", field_text(line, "commit"),
                        "date", field_text(line, "date"), "before", c->before, "after", c->after,
                        "change_percent", 100 * (c->after / c->before - 1), "p", c->p));
}

static int show_series(showing *s, const history_series *series, attn_error *error) {
    bool drawn = true;
    history_change *changes = attn_alloc(series->count, sizeof *changes, "change points", error);
    if (!changes)
        return -1;
    int count = history_changes(changes, series, s->lines, s->options->max_p, s->min_change, error);
    int result = count < 0 ? -1 : 0;
    for (int i = 0; i < count; i++)
        add_change(s, series, &changes[i]);
    s->cases++;
    s->changed += count > 0;
    if (!result && s->options->out) {
        result =
            history_plot(s->options->out, s->cases, series, changes, (size_t)count, s->lines, &drawn, error);
        json_array_append_new(s->pictures,
                              json_pack("[s o]", series->name, json_sprintf("case_%03zu", s->cases)));
        s->undrawn += !drawn;
    }
    attn_free(changes);
    return result;
}

static int show_all(showing *s, const regex_t *filter, attn_error *error) {
    size_t count;
    history_series *series = history_all_series(&count, s->lines, error);
    int result = series ? 0 : -1;
    for (size_t i = 0; i < count && !result; i++)
        if (!filter || !regexec(filter, series[i].name, 0, NULL, 0))
            result = show_series(s, &series[i], error);
    history_series_free(series, count);
    return result;
}

static int write_page(const showing *s, attn_error *error) {
    attn_output page = {0};
    size_t i;
    json_t *picture;
    char *path = attn_format(error, "%s/history.md", s->options->out);
    int result =
        path && !attn_output_open(&page, path, error) && !table_write(&s->table, TABLE_MD, page.stream, error)
            ? 0
            : -1;
    if (!result) {
        json_array_foreach(s->pictures, i, picture) {
            fprintf(page.stream, "\n![%s](%s.svg)\n", json_string_value(json_array_get(picture, 0)),
                    json_string_value(json_array_get(picture, 1)));
        }
        result = attn_output_commit(&page, error);
    }
    attn_output_discard(&page);
    attn_free(path);
    return result;
}

static size_t machines(const json_t *lines) {
    size_t count = json_array_size(lines) > 0;
    for (size_t i = 1; i < json_array_size(lines); i++)
        count += strcmp(field_text(json_array_get(lines, i), "fingerprint"),
                        field_text(json_array_get(lines, i - 1), "fingerprint")) != 0;
    return count;
}

static int print(const showing *s, int format, attn_error *error) {
    if (s->undrawn)
        fprintf(stderr,
                "note: gnuplot is missing: %zu plots are not drawn, their data and scripts are there\n",
                s->undrawn);
    if (machines(s->lines) > 1)
        fprintf(stderr, "note: the machine changed %zu times; values before and after are not compared\n",
                machines(s->lines) - 1);
    fprintf(stderr, "%zu results of %zu cases, %zu with changes\n", json_array_size(s->lines), s->cases,
            s->changed);
    return (s->options->out && write_page(s, error)) ||
                   table_write(&s->table, (table_format)format, stdout, error)
               ? -1
               : 0;
}

static int show(const history_options *given, const char *path, attn_error *error) {
    static char md[] = "md", one_percent[] = "1%";
    history_options filled = *given, *o = &filled;
    o->format = o->format ? o->format : md;
    o->min_change = o->min_change ? o->min_change : one_percent;
    o->max_p = o->max_p > NOT_GIVEN || o->max_p != o->max_p ? o->max_p : 0.001;
    showing s = {.options = o};
    regex_t filter;
    json_t *lines = NULL;
    int result = -1, format = option_choice("--format", o->format, table_format_names, error);
    if (format < 0 || word_percent(&s.min_change, "--min-change", o->min_change, error))
        return -1;
    if (!(o->max_p > 0 && o->max_p < 1))
        return attn_fail(error, "--max-p %g: expected a chance between 0 and 1", o->max_p);
    if (o->filter && regcomp(&filter, o->filter, REG_EXTENDED | REG_NOSUB))
        return attn_fail(error, "--filter %s: not a regular expression", o->filter);
    table_init(&s.table, "Change points", columns);
    s.pictures = json_array();
    if ((s.lines = lines = history_read(path, error)) && (!o->out || !attn_make_folder(o->out, error)))
        result = show_all(&s, o->filter ? &filter : NULL, error);
    if (!result)
        result = print(&s, format, error);
    if (o->filter)
        regfree(&filter);
    table_free(&s.table);
    json_decref(s.pictures);
    json_decref(lines);
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
