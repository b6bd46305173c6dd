/* attnbench sweep: a plan, in fresh processes, into one results file. */
#include "base/home.h"
#include "base/process/child.h"
#include "cli/frame/command.h"
#include "harness/counters/counter_source.h"
#include "harness/plan/plan_peers.h"
#include "harness/run/sweep_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double NO_TIME = -HUGE_VAL; /* not given */

typedef struct sweep_options {
    char *plan, *filter, *counters, *group, *out, *shard, *times;
    int list, replace, again, cpu, peers;
    long long repetitions, rounds, seed;
    double min_time;
} sweep_options;

/* Leaves the rows of one shard in the plan. */
static int take_shard(plan_split *split, plan *p, const sweep_options *o, attn_error *error) {
    char counted[SWEEP_COUNTED];
    shard own;
    if (!o->shard)
        return o->times ? attn_fail(error, "--times: goes with --shard") : 0;
    if (shard_parse(&own, o->shard, error))
        return -1;
    sweep_counted(counted, o->counters, o->group);
    if (plan_split_make(split, p, &own, counted, o->times, error))
        return -1;
    plan_split_keep(split, p);
    return 0;
}

static int read_plan(plan *p, const sweep_options *o, attn_error *error) {
    if (option_needs("--plan", o->plan, error) ||
        option_choice("--counters", o->counters, counter_source_words, error) < 0 ||
        plan_read(p, o->plan, error) ||
        option_range_given("--repetitions", o->repetitions, 1, 10000, error) ||
        option_range_given("--rounds", o->rounds, 1, 10000, error) ||
        option_range_given("--seed", o->seed, 0, INT64_MAX, error))
        return -1;
    if (o->repetitions != OPTION_NOT_GIVEN)
        p->repetitions = (size_t)o->repetitions;
    if (o->rounds != OPTION_NOT_GIVEN || o->repetitions != OPTION_NOT_GIVEN)
        plan_keep_rounds(p, o->rounds != OPTION_NOT_GIVEN ? (size_t)o->rounds : p->rounds);
    if (o->seed != OPTION_NOT_GIVEN)
        p->seed = (uint64_t)o->seed;
    if (o->min_time != NO_TIME && !(o->min_time >= 0.0001 && o->min_time <= 1000))
        return attn_fail(error, "--min-time %g: expected 0.0001 to 1000 seconds", o->min_time);
    if (o->min_time != NO_TIME)
        p->min_time = o->min_time;
    if (o->filter && plan_filter(p, o->filter, error))
        return -1;
    return o->peers ? plan_add_peers(p, error) : 0;
}

static int list_rows(const plan *p) {
    for (size_t i = 0; i < p->count; i++)
        puts(p->rows[i].name);
    if (fflush(stdout))
        return STATUS_OK; /* main sees it, too, and says so */
    fprintf(stderr, "%zu cases, %zu repetitions of at least %g s each, in %zu process%s%s\n", p->count,
            p->repetitions, p->min_time, plan_rounds(p), plan_rounds(p) == 1 ? "" : "es",
            p->own_rounds ? " (some cases in more or fewer)" : "");
    return STATUS_OK;
}

static void add_option(json_t *words, const char *option, const char *value) {
    if (!value)
        return;
    json_array_append_new(words, json_string(option));
    json_array_append_new(words, json_string(value));
}

/* The options that decide what is measured and how, as they were given. A reader
 * needs them to do it again. */
static json_t *options_json(const sweep_options *o) {
    char number[32];
    json_t *words = json_array();
    add_option(words, "--plan", o->plan);
    add_option(words, "--filter", o->filter);
    if (o->peers)
        json_array_append_new(words, json_string("--peers"));
    snprintf(number, sizeof number, "%lld", o->repetitions);
    add_option(words, "--repetitions", o->repetitions == OPTION_NOT_GIVEN ? NULL : number);
    snprintf(number, sizeof number, "%lld", o->rounds);
    add_option(words, "--rounds", o->rounds == OPTION_NOT_GIVEN ? NULL : number);
    snprintf(number, sizeof number, "%.10g", o->min_time);
    add_option(words, "--min-time", o->min_time == NO_TIME ? NULL : number);
    snprintf(number, sizeof number, "%lld", o->seed);
    add_option(words, "--seed", o->seed == OPTION_NOT_GIVEN ? NULL : number);
    add_option(words, "--counters", strcmp(o->counters, "auto") ? o->counters : NULL);
    add_option(words, "--group", o->group);
    snprintf(number, sizeof number, "%d", o->cpu);
    add_option(words, "--cpu", o->cpu == -1 ? NULL : number);
    add_option(words, "--shard", o->shard);
    add_option(words, "--times", o->times);
    return words;
}

/* An interrupted sweep ends as a shell expects it of a program that a signal ended. */
static int stopped(const char *out) {
    fprintf(stderr,
            "attnbench sweep: interrupted; finished cases are in %s.journal, the same command resumes\n",
            out);
    return 128 + sweep_stop_signal();
}

static int conclude(const char *out, const sweep_outcome *outcome) {
    const sweep_counts *counts = &outcome->counts;
    if (outcome->was_complete) {
        printf("%s: complete already: %zu cases, %zu failed; nothing was run\n", out, outcome->cases,
               outcome->failed);
        return outcome->failed ? STATUS_FAILED : STATUS_OK;
    }
    printf("%s: %zu cases, %zu failed", out, outcome->cases, outcome->failed);
    if (counts->unsupported)
        printf(", %zu not supported here", counts->unsupported);
    printf("; %zu repetitions, %zu disturbed (over 1%% of their time lost, or a page read from disk)\n",
           counts->repetitions, counts->disturbed);
    return outcome->failed ? STATUS_FAILED : STATUS_OK;
}

static int run(const plan *p, const sweep_options *o, const plan_split *split, attn_error *error) {
    json_t *words = options_json(o);
    sweep_request request = {.command = "attnbench sweep",
                             .out = o->out,
                             .counters = o->counters,
                             .group = o->group,
                             .cpu = o->cpu,
                             .policy = o->again     ? STORE_RESTART
                                       : o->replace ? STORE_REPLACE
                                                    : STORE_REFUSE,
                             .options = words,
                             .split = split->own.count ? split : NULL};
    sweep_outcome outcome;
    int result = sweep_file_run(&outcome, p, &request, error);
    json_decref(words);
    if (!result)
        return conclude(o->out, &outcome);
    return sweep_stop_signal() ? stopped(o->out) : -1;
}

int cmd_sweep(int argc, char **argv) {
    sweep_options o = {.counters = "auto",
                       .cpu = -1,
                       .repetitions = OPTION_NOT_GIVEN,
                       .rounds = OPTION_NOT_GIVEN,
                       .seed = OPTION_NOT_GIVEN,
                       .min_time = NO_TIME};
    char help[HOME_NAMES + 64];
    home_names_help(help, PLAN_FOLDER);
    struct poptOption options[] = {
        {"plan", '\0', POPT_ARG_STRING, &o.plan, 0, help, "PLAN"},
        {"out", '\0', POPT_ARG_STRING, &o.out, 0, "needed, but for --list: the results file", "R.json"},
        {"filter", '\0', POPT_ARG_STRING, &o.filter, 0, "only rows that it finds something in", "REGEX"},
        {"peers", '\0', POPT_ARG_NONE, &o.peers, 0,
         "next to our rows the same by ONNX Runtime and PyTorch, where they are installed (docs/peers.md)",
         NULL},
        {"shard", '\0', POPT_ARG_STRING, &o.shard, 0,
         "only the K-th of N parts, which take about as long each (`attnbench merge` puts them together)",
         "K/N"},
        {"times", '\0', POPT_ARG_STRING, &o.times, 0,
         "of an earlier sweep: shards by what it took instead of by shapes", "R.json"},
        {"list", '\0', POPT_ARG_NONE, &o.list, 0, "print the rows and run nothing", NULL},
        {"counters", '\0', POPT_ARG_STRING, &o.counters, 0,
         "auto (default), papi, perf, callgrind (simulated: slow) or off", "SOURCES"},
        {"group", '\0', POPT_ARG_STRING, &o.group, 0,
         "count this group only (`attnbench counters groups`; or a file), in as many passes as it takes",
         "GROUP"},
        {"repetitions", '\0', POPT_ARG_LONGLONG, &o.repetitions, 0, "instead of the plan's", "N"},
        {"rounds", '\0', POPT_ARG_LONGLONG, &o.rounds, 0,
         "processes that the repetitions of a case are spread over, instead of the plan's", "N"},
        {"min-time", '\0', POPT_ARG_DOUBLE, &o.min_time, 0, "of a repetition, instead of the plan's",
         "SECONDS"},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "instead of the plan's", "N"},
        {"cpu", '\0', POPT_ARG_INT, &o.cpu, 0, "pin to this CPU (default: the last one allowed)", "N"},
        {"replace", '\0', POPT_ARG_NONE, &o.replace, 0,
         "drop results of another plan, commit or machine at --out", NULL},
        {"restart", '\0', POPT_ARG_NONE, &o.again, 0, "drop all that is at --out", NULL},
        POPT_TABLEEND};
    int status = STATUS_OK;
    attn_error error = {0};
    plan p = {0};
    plan_split split = {0};
    if (!command_options(
            argc, argv, "",
            "Runs every case of a plan in fresh processes pinned to one CPU, one a round. The "
            "same command resumes\nwhere an interrupted one stopped (which ends with status 128 + the "
            "signal's number).",
            options, NULL, &status))
        return status;
    if (read_plan(&p, &o, &error) || take_shard(&split, &p, &o, &error) ||
        (!o.list && option_needs("--out", o.out, &error)))
        status = -1;
    else if (o.list) {
        sweep_note_skipped(&p);
        status = list_rows(&p);
    } else
        status = run(&p, &o, &split, &error);
    plan_split_free(&split);
    plan_free(&p);
    return status < 0 ? command_fail(argv[0], &error) : status;
}
