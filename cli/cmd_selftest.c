/* attnbench selftest: how far the gate can be trusted on this host. */
#include "base/option_values.h"
#include "base/process/child.h"
#include "base/process/quiet_cpu.h"
#include "base/text/json.h"
#include "base/text/table_write.h"
#include "cli/frame/command.h"
#include "harness/counters/source/callgrind.h"
#include "harness/gate/selftest.h"
#include "harness/run/measure.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char description[] =
    "Runs the gate on this program and a copy of it, with nothing slowed down and with a delay put into one\n"
    "case, and prints how often it was right on this host: its rate of false alarms, how often it finds\n"
    "each slow-down, the smallest that it finds 95% of the time, and the host's load meanwhile. Exit\n"
    "status: 0; 1 a false alarm was raised; 2 bad input.";

typedef struct selftest_options {
    char *plan, *filter, *metric, *budget, *min_effect, *slow, *journal, *format;
    long long rounds;
    int cpu, only_slow;
} selftest_options;

/* "3,5": the first level is always no slow-down at all. */
static int read_levels(selftest_settings *s, const char *text, attn_error *error) {
    s->levels = 1;
    while (*text) {
        char word[32];
        size_t length = strcspn(text, ",");
        double effect;
        if (s->levels == SELFTEST_LEVELS || length >= sizeof word)
            return attn_fail(error, "--slow: expected at most %d percentages, a comma between",
                             SELFTEST_LEVELS - 1);
        memcpy(word, text, length);
        word[length] = '\0';
        if (word_percent(&effect, "--slow", word, error))
            return -1;
        if (!(effect > 0))
            return attn_fail(error, "--slow %s: expected more than 0", word);
        s->percent[s->levels++] = 100 * expm1(effect);
        text += length + (text[length] == ',');
    }
    return 0;
}

static int read_settings(selftest_settings *s, plan *p, int *format, const selftest_options *o,
                         attn_error *error) {
    s->gate = (gate_settings){.plan = p, .rule = {.alpha = GATE_ALPHA, .beta = GATE_BETA}, .seed = 1};
    *format = option_choice("--format", o->format, table_format_names, error);
    int metric = option_choice("--metric", o->metric, gate_metric_names, error);
    if (*format < 0 || metric < 0)
        return -1;
    s->gate.metric = (gate_metric)metric;
    if (option_range("--rounds", o->rounds, 1, 100000, error) ||
        read_levels(s,
                    o->slow  ? o->slow
                    : metric ? "1"
                             : "1,2,3,5",
                    error) ||
        word_percent(&s->gate.rule.min_effect, "--min-effect",
                     o->min_effect ? o->min_effect : gate_min_effects[metric], error) ||
        word_duration(&s->gate.budget, "--budget", o->budget, error) || plan_read(p, o->plan, error) ||
        (o->filter && plan_filter(p, o->filter, error)))
        return -1;
    s->rounds = (size_t)o->rounds;
    s->journal = o->journal;
    s->first = o->only_slow ? 1 : 0;
    if (s->first == s->levels)
        return attn_fail(error, "--only-slow: --slow names nothing");
    s->gate.cpu = quiet_cpu_pick(o->cpu, error);
    return s->gate.cpu < 0 ? -1 : 0;
}

static json_t *rate_row(const char *what, size_t k, const selftest_count *c) {
    rate_interval r = rate_of(k, c->runs);
    double runs = fmax(1, (double)c->runs);
    return json_pack("{ss sI sI sf sf sf sI sf sf sf sf}", "what", what, "runs", (json_int_t)c->runs, "count",
                     (json_int_t)k, "rate", (double)k / runs, "low", r.low, "high", r.high, "undecided",
                     (json_int_t)c->undecided, "undecided_cases", c->undecided_cases / runs, "seconds",
                     c->seconds / runs, "load", c->load / runs, "highest_load", c->highest_load);
}

static void add_threshold(text_table *t, const selftest_settings *s, const selftest_count *counts) {
    rate_level levels[SELFTEST_LEVELS];
    size_t runs = 0;
    for (size_t i = 1; i < s->levels; i++) {
        levels[i - 1] = (rate_level){s->percent[i], counts[i].found, counts[i].runs};
        runs += counts[i].runs;
    }
    if (!runs)
        return;
    rate_threshold threshold = rate_threshold_of(levels, s->levels - 1);
    table_add(t, json_pack("{ss sI so so so}", "what", "smallest slow-down found 95% of the time, in percent",
                           "runs", (json_int_t)runs, "rate", json_finite(threshold.percent), "low",
                           json_finite(threshold.low), "high", json_finite(threshold.high)));
}

static int print(const selftest_settings *s, const selftest_count *counts, table_format format,
                 attn_error *error) {
    static const table_column columns[] = {{"what", "what", NULL},
                                           {"runs", "runs", NULL},
                                           {"count", "count", NULL},
                                           {"rate", "rate", "%.3g"},
                                           {"low", "at least", "%.3g"},
                                           {"high", "at most", "%.3g"},
                                           {"undecided", "runs with an undecided case", NULL},
                                           {"undecided_cases", "undecided cases a run", "%.2g"},
                                           {"seconds", "seconds a run", "%.0f"},
                                           {"load", "mean load", "%.1f"},
                                           {"highest_load", "highest load", "%.1f"},
                                           {NULL, NULL, NULL}};
    text_table t;
    char title[300], what[120];
    snprintf(
        title, sizeof title,
        "The gate on this host: %s, plan %.60s, at most %g s a run, effects from %.3g%% on; 95%% intervals",
        gate_metric_names[s->gate.metric], s->gate.plan->name, s->gate.budget,
        100 * expm1(s->gate.rule.min_effect));
    table_init(&t, title, columns);
    if (!s->first) {
        table_add(&t, rate_row("no slow-down: runs with a false alarm", counts[0].wrong, &counts[0]));
        table_add(&t, rate_row("no slow-down: runs with a false FASTER", counts[0].wrong_fast, &counts[0]));
    }
    for (size_t i = 1; i < s->levels; i++) {
        snprintf(what, sizeof what, "one case %g%% slower: found", s->percent[i]);
        table_add(&t, rate_row(what, counts[i].found, &counts[i]));
        snprintf(what, sizeof what, "one case %g%% slower: runs with a false alarm", s->percent[i]);
        table_add(&t, rate_row(what, counts[i].wrong, &counts[i]));
    }
    add_threshold(&t, s, counts);
    int result = table_write(&t, format, stdout, error);
    table_free(&t);
    return result;
}

static int run(selftest_settings *s, table_format format, attn_error *error) {
    selftest_count counts[SELFTEST_LEVELS];
    size_t wrong = 0;
    char *program = measure_program(error);
    s->program = program;
    measure_clean_environment();
    int status =
        !program || selftest_run(counts, s, error) || print(s, counts, format, error) ? -1 : STATUS_OK;
    attn_free(program);
    for (size_t i = 0; i < s->levels && status == STATUS_OK; i++)
        wrong += counts[i].wrong;
    if (status == STATUS_OK && child_stop_signal())
        return 128 + child_stop_signal();
    return status || !wrong ? status : STATUS_FAILED;
}

int cmd_selftest(int argc, char **argv) {
    static char time_name[] = "time", one_minute[] = "1m", md[] = "md", plan_name[] = "gate";
    selftest_options o = {
        .plan = plan_name, .budget = one_minute, .metric = time_name, .format = md, .rounds = 10, .cpu = -1};
    struct poptOption options[] = {
        {"rounds", '\0', POPT_ARG_LONGLONG, &o.rounds, 0, "runs of each kind (default: 10)", "N"},
        {"slow", '\0', POPT_ARG_STRING, &o.slow, 0,
         "slow-downs to look for (default: 1,2,3,5; of instructions 1)", "PERCENT,..."},
        {"only-slow", '\0', POPT_ARG_NONE, &o.only_slow, 0, "no runs without a slow-down", NULL},
        {"metric", '\0', POPT_ARG_STRING, &o.metric, 0, "time (default) or instructions", "METRIC"},
        {"budget", '\0', POPT_ARG_STRING, &o.budget, 0, "of each run (default: 1m)", "TIME"},
        {"journal", '\0', POPT_ARG_STRING, &o.journal, 0,
         "keeps finished runs; the same command goes on where it stopped", "FILE"},
        {"plan", '\0', POPT_ARG_STRING, &o.plan, 0, "a name or a file (default: gate)", "PLAN"},
        {"filter", '\0', POPT_ARG_STRING, &o.filter, 0, "only rows that it finds something in", "REGEX"},
        {"min-effect", '\0', POPT_ARG_STRING, &o.min_effect, 0,
         "as of the gate (default: 2%, of instructions 0.5%)", "PERCENT"},
        {"cpu", '\0', POPT_ARG_INT, &o.cpu, 0, "pin to this CPU (default: the one with the least to do)",
         "N"},
        {"format", '\0', POPT_ARG_STRING, &o.format, 0, "md (default), csv, json or tex", "FORMAT"},
        POPT_TABLEEND};
    int status = STATUS_OK, format;
    attn_error error = {0};
    plan p = {0};
    selftest_settings s = {.rounds = 0};
    if (!command_options(argc, argv, "", description, options, NULL, &status))
        return status;
    status = read_settings(&s, &p, &format, &o, &error) ? -1 : STATUS_OK;
    if (status == STATUS_OK && s.gate.metric == GATE_INSTRUCTIONS && callgrind_refusal()) {
        fprintf(stderr, "attnbench selftest: --metric instructions: %s\n", callgrind_refusal());
        status = STATUS_UNDECIDED;
    }
    if (status == STATUS_OK)
        status = run(&s, (table_format)format, &error);
    plan_free(&p);
    return status < 0 ? command_fail(argv[0], &error) : status;
}
