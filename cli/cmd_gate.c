/* attnbench gate: base against candidate, now, on this machine. */
#include "base/option_values.h"
#include "base/process/child.h"
#include "base/process/quiet_cpu.h"
#include "base/progress.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "cli/frame/command.h"
#include "harness/counters/source/callgrind.h"
#include "harness/gate/gate.h"
#include "harness/gate/report/report_output.h"
#include "harness/run/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char description[] =
    "Runs base and candidate by turns, in fresh processes pinned to one CPU, until every case is decided or\n"
    "the budget is spent. SLOWER: by more than the smallest effect, and by more than the base differs from\n"
    "itself here. Exit status: 0 nothing is slower or larger; 1 something is, or the candidate failed;\n"
    "2 bad input; 3 undecided (or a case could not be compared).";

typedef struct gate_options {
    char *base, *candidate, *base_cmd, *candidate_cmd, *plan, *filter, *metric, *way, *budget, *min_effect;
    int cpu, force, no_attribution;
    long long seed;
    gate_output output;
} gate_options;

static const char *info_text(const gate_side *side, const char *object, const char *key) {
    const char *text = json_text(json_object_get(side->info, object), key);
    return *text ? text : "unknown";
}

static json_t *side_note(const char *name, const gate_side *side) {
    if (!side->info)
        return utf8_sprintf("%s: %.500s", name, side->program);
    return utf8_sprintf("%s: %.200s, commit %.40s, %.60s, %.200s", name, side->program,
                        info_text(side, "build", "commit"), info_text(side, "build", "compiler"),
                        info_text(side, "build", "flags"));
}

static json_t *stored_note(const char *path, const results *base) {
    return utf8_sprintf("base: stored results %.200s, commit %.40s, %.40s: measured at another time, and "
                        "one time a case, so verdicts are weaker than of two programs that take turns",
                        path, results_text(base, "commit", "unknown"), json_text(base->context, "date"));
}

static json_t *how_note(const gate *g) {
    char spent[32];
    const plan *p = g->settings.plan;
    const char *end = g->interrupted ? ", interrupted" : g->out_of_time ? ", all of the budget" : "";
    progress_time(spent, sizeof spent, g->seconds);
    if (g->commands)
        return utf8_sprintf(
            "commands that print Google Benchmark's JSON, whole processes one after the other on "
            "CPU %d; %zu look%s in %s%s",
            g->settings.cpu, g->looks, g->looks == 1 ? "" : "s", spent, end);
    if (g->settings.metric == GATE_INSTRUCTIONS)
        return utf8_sprintf("plan %s, instructions of one warm iteration, simulated by valgrind with kernels "
                            "that it knows; in %s%s",
                            p->name, spent, end);
    const char *way =
        g->stored ? ""
        : g->settings.way == GATE_TURNS
            ? g->settings.turns > 1
                  ? ", pairs of live processes that take turns"
                  : ", pairs of live processes that take turns, as the older of the two programs knows them"
        : gate_turns_version(&g->side[GATE_BASE]) && gate_turns_version(&g->side[GATE_CANDIDATE])
            ? ", whole processes one after the other"
            : ", whole processes one after the other, as a program does not know turns";
    return utf8_sprintf("plan %s%s, %zu repetitions of %g s a process on CPU %d; %zu look%s in %s%s", p->name,
                        way, p->repetitions, p->min_time, g->settings.cpu, g->looks, g->looks == 1 ? "" : "s",
                        spent, end);
}

/* Cases of the stored base that no row of the plan asks for; NULL: none. */
static json_t *left_out_note(const gate *g, const results *base) {
    size_t left_out = 0;
    for (size_t i = 0; base && i < base->count; i++) {
        size_t row = 0;
        while (row < g->count && strcmp(g->cases[row].row->name, base->cases[i].name))
            row++;
        left_out += row == g->count;
    }
    return left_out
               ? utf8_sprintf("%zu of %zu cases of the stored base are not in the plan, or were filtered "
                              "out, and were not compared (--plan and --filter choose)",
                              left_out, base->count)
               : NULL;
}

static json_t *notes(const gate *g, const results *base, const char *differences) {
    json_t *list = json_array();
    json_array_append_new(list, base ? stored_note(g->side[GATE_BASE].program, base)
                                     : side_note("base", &g->side[GATE_BASE]));
    json_t *left_out = left_out_note(g, base);
    if (left_out)
        json_array_append_new(list, left_out);
    if (*differences)
        json_array_append_new(list, utf8_sprintf("FORCED, not comparable: %s", differences));
    json_array_append_new(list, side_note("candidate", &g->side[GATE_CANDIDATE]));
    json_array_append_new(list, how_note(g));
    if (g->settings.metric == GATE_INSTRUCTIONS || g->commands) /* other kernels than these */
        return list;
    json_array_append_new(list, utf8_sprintf("%s, %s kernels of %s",
                                             info_text(&g->side[GATE_CANDIDATE], "machine", "cpu"),
                                             info_text(&g->side[GATE_CANDIDATE], "blas", "core"),
                                             info_text(&g->side[GATE_CANDIDATE], "blas", "library")));
    if (!base && strcmp(info_text(&g->side[GATE_BASE], "blas", "core"),
                        info_text(&g->side[GATE_CANDIDATE], "blas", "core")))
        json_array_append_new(list, json_string("base and candidate use different kernels of BLAS"));
    return list;
}

static json_t *settings_json(const gate *g, const results *base, const char *differences) {
    const gate_settings *s = &g->settings;
    return json_pack(
        "{so so sO* sO* so ss ss sf sf sf sf sf sI sI si sb sb sb sb sb}", "base",
        utf8_json(g->side[GATE_BASE].program), "candidate", utf8_json(g->side[GATE_CANDIDATE].program),
        "base_info", g->side[GATE_BASE].info, "candidate_info", g->side[GATE_CANDIDATE].info, "plan",
        utf8_json(s->plan->name), "metric", gate_metric_names[s->metric], "way",
        base ? "processes" : gate_way_names[s->way], "min_effect_percent", 100 * expm1(s->rule.min_effect),
        "alpha", s->rule.alpha, "beta", s->rule.beta, "budget_seconds", s->budget, "seconds", g->seconds,
        "looks", (json_int_t)g->looks, "seed", (json_int_t)s->seed, "cpu", s->cpu, "out_of_time",
        g->out_of_time, "interrupted", g->interrupted, "stored_base", base != NULL, "forced",
        *differences != 0, "commands", g->commands);
}

static int report(const gate *g, const gate_output *output, const results *base, const char *differences,
                  attn_error *error) {
    char caution[1100];
    snprintf(caution, sizeof caution, "not comparable: %s", differences);
    gate_report r = {.command = "gate",
                     .interrupted = g->interrupted ? 128 + child_stop_signal() : 0,
                     .settings = settings_json(g, base, differences),
                     .notes = notes(g, base, differences)};
    int failed = gate_rows_of(&r.rows, g, g->settings.metric == GATE_TIME ? "ns" : "instructions",
                              *differences ? caution : NULL, error) ||
                 gate_report_write(&r, output, error);
    int status = failed ? -1 : gate_report_status(&r);
    gate_report_free(&r);
    return status;
}

/* Two programs, or two commands. */
static int check_sides(const gate_options *o, attn_error *error) {
    const struct {
        const char *option;
        bool given;
    } others[] = {{"--base", o->base},
                  {"--candidate", o->candidate},
                  {"--plan", o->plan},
                  {"--force", o->force},
                  {"--metric instructions", strcmp(o->metric, gate_metric_names[GATE_TIME])}};
    if (!o->base_cmd && !o->candidate_cmd)
        return option_needs("--base", o->base, error) || option_needs("--candidate", o->candidate, error) ? -1
                                                                                                          : 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].given)
            return attn_fail(error, "%s: does not go with --base-cmd and --candidate-cmd", others[i].option);
    return option_needs("--base-cmd", o->base_cmd, error) ||
                   option_needs("--candidate-cmd", o->candidate_cmd, error)
               ? -1
               : 0;
}

static int read_settings(gate_settings *s, plan *p, const gate_options *o, attn_error *error) {
    s->rule = (gate_rule){.alpha = GATE_ALPHA, .beta = GATE_BETA};
    s->plan = p;
    s->attribute = !o->no_attribution;
    int metric = option_choice("--metric", o->metric, gate_metric_names, error);
    if (metric < 0)
        return -1;
    s->metric = (gate_metric)metric;
    int way = option_choice("--way", o->way, gate_way_names, error);
    if (way < 0)
        return -1;
    s->way = (gate_way)way;
    s->seed =
        o->seed != OPTION_NOT_GIVEN ? (uint64_t)o->seed : (uint64_t)time(NULL) ^ ((uint64_t)getpid() << 32);
    s->seed &= INT64_MAX;
    if (option_range_given("--seed", o->seed, 0, INT64_MAX, error) || check_sides(o, error) ||
        gate_output_check(&o->output, error) ||
        word_percent(&s->rule.min_effect, "--min-effect",
                     o->min_effect ? o->min_effect : gate_min_effects[metric], error) ||
        word_duration(&s->budget, "--budget", o->budget, error) ||
        (!o->base_cmd && (plan_read(p, o->plan ? o->plan : "gate", error) ||
                          (o->filter && plan_filter(p, o->filter, error)))))
        return -1;
    if (!(s->rule.min_effect > 0))
        return attn_fail(error, "--min-effect %s: expected more than 0", o->min_effect);
    s->cpu = quiet_cpu_pick(o->cpu, error);
    return s->cpu < 0 ? -1 : 0;
}

/* The first byte says whether a file is a program or results. */
static bool is_stored(const char *path) {
    FILE *file = fopen(path, "r");
    int first = file ? getc(file) : EOF;
    if (file)
        fclose(file);
    return first == '{' || first == '[';
}

/* By instructions: whether that can be done. */
static int check_metric(const gate *g, const gate_options *o, attn_error *error) {
    if (g->settings.metric == GATE_TIME)
        return STATUS_OK;
    if (is_stored(o->base))
        return attn_fail(error, "--metric instructions: expected a program as --base, not stored results");
    if (!callgrind_refusal())
        return STATUS_OK;
    fprintf(stderr, "attnbench gate: --metric instructions: %s\n", callgrind_refusal());
    return STATUS_UNDECIDED;
}

static int run_stored(gate *g, const gate_options *o, attn_error *error) {
    results base = {0};
    char differences[1024];
    size_t differing;
    int status = -1;
    if (results_read_times(&base, o->base, error) ||
        gate_side_ask(&g->side[GATE_CANDIDATE], g->settings.cpu, error) ||
        gate_stored_differences(&differing, differences, sizeof differences, &base, g, error))
        goto done;
    if (differing && !o->force) {
        fprintf(stderr, "attnbench gate: not comparable (--force compares nevertheless): %s\n", differences);
        status = STATUS_UNDECIDED;
    } else if (!gate_run_stored(g, &base, error)) {
        status = report(g, &o->output, &base, differences, error);
    }
done:
    results_free(&base);
    return status;
}

static int run_both(gate *g, const gate_options *o, attn_error *error) {
    for (size_t i = 0; i < GATE_SIDES; i++)
        if (gate_side_ask(&g->side[i], g->settings.cpu, error))
            return -1;
    bool time = g->settings.metric == GATE_TIME;
    for (size_t i = 0; i < GATE_SIDES; i++) {
        int version = gate_turns_version(&g->side[i]);
        g->settings.turns = i && g->settings.turns < version ? g->settings.turns : version;
    }
    if (!g->settings.turns)
        g->settings.way = GATE_PROCESSES;
    return (time ? gate_run : gate_run_counts)(g, error) || gate_attribute(g, error)
               ? -1
               : report(g, &o->output, NULL, "", error);
}

static int run(gate *g, const gate_options *o, attn_error *error) {
    measure_clean_environment();
    g->side[GATE_BASE].program = o->base;
    g->side[GATE_CANDIDATE].program = o->candidate;
    int status = check_metric(g, o, error);
    if (status != STATUS_OK)
        return status;
    return is_stored(o->base) ? run_stored(g, o, error) : run_both(g, o, error);
}

static int run_programs(gate_settings *settings, const gate_options *o, attn_error *error) {
    gate g = {0};
    int status = gate_init(&g, settings, error) ? -1 : run(&g, o, error);
    gate_free(&g);
    return status;
}

static int run_commands(gate_settings *settings, plan *p, const gate_options *o, attn_error *error) {
    gate g = {0};
    gate_commands commands;
    const gate_side sides[GATE_SIDES] = {{.program = o->base_cmd}, {.program = o->candidate_cmd}};
    settings->way = GATE_PROCESSES;
    int status = -1;
    if (!gate_commands_open(&commands, p, sides, settings->cpu, settings->budget, error) &&
        !(o->filter && plan_filter(p, o->filter, error)) && !gate_init(&g, settings, error)) {
        memcpy(g.side, sides, sizeof g.side);
        g.commands = true;
        gate_commands_settle(&g, &commands);
        status = gate_run(&g, error) ? -1 : report(&g, &o->output, NULL, "", error);
    }
    gate_commands_free(&commands);
    gate_free(&g);
    return status;
}

int cmd_gate(int argc, char **argv) {
    static char time_name[] = "time", turns[] = "turns", five_minutes[] = "5m", md[] = "md";
    gate_options o = {.budget = five_minutes,
                      .metric = time_name,
                      .way = turns,
                      .cpu = -1,
                      .seed = OPTION_NOT_GIVEN,
                      .output = {.format = md}};
    struct poptOption options[] = {
        {"base", '\0', POPT_ARG_STRING, &o.base, 0, "needed: an attnbench, or stored results of one",
         "BIN|JSON"},
        {"candidate", '\0', POPT_ARG_STRING, &o.candidate, 0, "needed: an attnbench", "BIN"},
        {"base-cmd", '\0', POPT_ARG_STRING, &o.base_cmd, 0,
         "in place of both: a shell command that prints Google Benchmark's JSON", "COMMAND"},
        {"candidate-cmd", '\0', POPT_ARG_STRING, &o.candidate_cmd, 0, "the same of the candidate", "COMMAND"},
        {"plan", '\0', POPT_ARG_STRING, &o.plan, 0, "a name or a file (default: gate)", "PLAN"},
        {"filter", '\0', POPT_ARG_STRING, &o.filter, 0, "only rows that it finds something in", "REGEX"},
        {"metric", '\0', POPT_ARG_STRING, &o.metric, 0,
         "time (default) or instructions (simulated by valgrind, the same on every run)", "METRIC"},
        {"way", '\0', POPT_ARG_STRING, &o.way, 0,
         "of measuring time: turns of live processes (default), or whole processes one after the other",
         "WAY"},
        {"budget", '\0', POPT_ARG_STRING, &o.budget, 0, "to measure in (default: 5m)", "TIME"},
        {"min-effect", '\0', POPT_ARG_STRING, &o.min_effect, 0,
         "the smallest that counts (default: 2%, of instructions 0.5%)", "PERCENT"},
        {"no-attribution", '\0', POPT_ARG_NONE, &o.no_attribution, 0,
         "do not rerun slower cases with counters to see what moved", NULL},
        {"force", '\0', POPT_ARG_NONE, &o.force, 0,
         "compare with stored results of another machine or build, and say so in every line", NULL},
        {"cpu", '\0', POPT_ARG_INT, &o.cpu, 0, "pin to this CPU (default: the one with the least to do)",
         "N"},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0,
         "of the order of processes (default: another each time)", "N"},
        GATE_OUTPUT_OPTIONS(o.output),
        POPT_TABLEEND};
    int status = STATUS_OK;
    attn_error error = {0};
    plan p = {0};
    gate_settings settings = {0};
    if (!command_options(argc, argv, "", description, options, NULL, &status))
        return status;
    status = read_settings(&settings, &p, &o, &error) ? -1
             : o.base_cmd                             ? run_commands(&settings, &p, &o, &error)
                                                      : run_programs(&settings, &o, &error);
    plan_free(&p);
    return status < 0 ? command_fail(argv[0], &error) : status;
}
