/* attnbench sweep: a plan, in fresh processes, into one results file. */
#include "base/progress.h"
#include "cli/command.h"
#include "harness/counters/counter_source.h"
#include "harness/machine/blas.h"
#include "harness/machine/machine.h"
#include "harness/run/child.h"
#include "harness/run/sweep.h"

#include <build_info.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SCHEMA = 1 };

typedef struct sweep_options {
    char *plan, *filter, *counters, *group, *out;
    int list, replace, again, cpu;
    long long repetitions, seed;
    double min_time;
} sweep_options;

static int read_plan(plan *p, const sweep_options *o, attn_error *error) {
    if (option_needs("--plan", o->plan, error) ||
        option_choice("--counters", o->counters, counter_source_words, error) < 0 ||
        plan_read(p, o->plan, error))
        return -1;
    if (o->repetitions != -1 && option_range("--repetitions", o->repetitions, 1, 10000, error))
        return -1;
    if (o->repetitions != -1)
        p->repetitions = (size_t)o->repetitions;
    if (o->seed != -1 && option_range("--seed", o->seed, 0, INT64_MAX, error))
        return -1;
    if (o->seed != -1)
        p->seed = (uint64_t)o->seed;
    if (o->min_time != -1 && !(o->min_time >= 0.0001 && o->min_time <= 1000))
        return attn_fail(error, "--min-time %g: expected 0.0001 to 1000 seconds", o->min_time);
    if (o->min_time != -1)
        p->min_time = o->min_time;
    return o->filter ? plan_filter(p, o->filter, error) : 0;
}

static int list_rows(const plan *p) {
    for (size_t i = 0; i < p->count; i++)
        puts(p->rows[i].name);
    if (fflush(stdout))
        return STATUS_OK; /* main sees it, too, and says so */
    fprintf(stderr, "%zu cases, %zu repetitions of at least %g s each\n", p->count, p->repetitions,
            p->min_time);
    return STATUS_OK;
}

static void note_skipped(const plan *p) {
    if (p->skipped)
        fprintf(stderr, "note: %zu combinations that cannot be are left out, the first: %s\n", p->skipped,
                p->note);
}

typedef struct surroundings {
    machine machine;
    blas_state blas;
    char fingerprint[MACHINE_FINGERPRINT], plan_hash[PLAN_HASH];
} surroundings;

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
    snprintf(number, sizeof number, "%lld", o->repetitions);
    add_option(words, "--repetitions", o->repetitions == -1 ? NULL : number);
    snprintf(number, sizeof number, "%.10g", o->min_time);
    add_option(words, "--min-time", o->min_time == -1 ? NULL : number);
    snprintf(number, sizeof number, "%lld", o->seed);
    add_option(words, "--seed", o->seed == -1 ? NULL : number);
    add_option(words, "--counters", strcmp(o->counters, "auto") ? o->counters : NULL);
    add_option(words, "--group", o->group);
    snprintf(number, sizeof number, "%d", o->cpu);
    add_option(words, "--cpu", o->cpu == -1 ? NULL : number);
    return words;
}

static json_t *context_json(const plan *p, const sweep_options *o, const surroundings *around,
                            const counting *counted, const results_store *s, size_t failed) {
    json_t *own = json_pack("{si ss ss so ss sI sI sI sI so so so ss}", "schema", SCHEMA, "commit",
                            BUILD_COMMIT, "plan", p->name, "options", options_json(o), "plan_sha",
                            around->plan_hash, "seed", (json_int_t)p->seed, "cases", (json_int_t)p->count,
                            "failed", (json_int_t)failed, "interrupted", (json_int_t)store_interrupted(s),
                            "machine", machine_json(&around->machine), "build", machine_build_json(), "blas",
                            blas_json(&around->blas, 1), "fingerprint", around->fingerprint);
    if (own)
        counting_describe(counted, own);
    return json_pack("{ss ss ss si sf sb so so}", "date", store_date(s), "host_name", around->machine.host,
                     "executable", "attnbench", "num_cpus", around->machine.cpus, "mhz_per_cpu",
                     around->machine.mhz, "cpu_scaling_enabled",
                     around->machine.governor[0] && strcmp(around->machine.governor, "performance"), "caches",
                     machine_caches_json(&around->machine), "attnbench", own);
}

static int write_results(const plan *p, const sweep_options *o, const surroundings *around,
                         const counting *counted, results_store *s, attn_error *error) {
    json_t *entries = json_array();
    for (size_t i = 0; i < p->count; i++) {
        bool failed;
        const json_t *of_case = store_find(s, p->rows[i].name, &failed);
        json_array_extend(entries, (json_t *)of_case);
    }
    json_t *results =
        json_pack("{so so}", "context", context_json(p, o, around, counted, s, sweep_count(p, s).failed),
                  "benchmarks", entries);
    int result = results ? store_commit(s, results, error) : attn_no_memory(error, NULL);
    json_decref(results);
    return result;
}

static int conclude(const plan *p, const sweep_options *o, const surroundings *around,
                    const counting *counted, results_store *s, attn_error *error) {
    sweep_counts counts = sweep_count(p, s);
    if (write_results(p, o, around, counted, s, error))
        return -1;
    printf("%s: %zu cases, %zu failed", o->out, p->count, counts.failed);
    if (counts.unsupported)
        printf(", %zu not supported here", counts.unsupported);
    printf("; %zu repetitions, %zu disturbed (over 1%% of their time lost, or a page read from disk)\n",
           counts.repetitions, counts.disturbed);
    return counts.failed ? STATUS_FAILED : STATUS_OK;
}

static int already_complete(const char *out, attn_error *error) {
    size_t cases, failed;
    if (store_read_counts(out, &cases, &failed, error))
        return -1;
    printf("%s: complete already: %zu cases, %zu failed; nothing was run\n", out, cases, failed);
    return failed ? STATUS_FAILED : STATUS_OK;
}

static void announce(const plan *p, const surroundings *around, store_state state, const results_store *s,
                     int cpu) {
    note_skipped(p);
    fprintf(stderr, "plan %s: %zu cases of %zu repetitions on CPU %d; %s, %s kernels%s%s%s\n", p->name,
            p->count, p->repetitions, cpu, around->blas.library, around->blas.core,
            around->blas.replaced[0] ? " (restarted: it had picked " : "", around->blas.replaced,
            around->blas.replaced[0] ? ")" : "");
    if (state == STORE_RESUMED)
        fprintf(stderr, "resuming; %zu cases were in flight when the sweep was interrupted\n",
                store_interrupted(s));
    const char *damage;
    size_t damaged = store_damaged(s, &damage);
    if (damaged == 1)
        fprintf(stderr, "attnbench sweep: %s: this case is run again\n", damage);
    else if (damaged)
        fprintf(stderr, "attnbench sweep: %s: this case and those of %zu more lines are run again\n", damage,
                damaged - 1);
}

/* An interrupted sweep ends as a shell expects it of a program that a signal ended. */
static int stopped(const char *out) {
    fprintf(stderr,
            "attnbench sweep: interrupted; finished cases are in %s.journal, the same command resumes\n",
            out);
    return 128 + child_stop_signal();
}

static int run(const plan *p, const sweep_options *o, attn_error *error) {
    surroundings around;
    results_store *s;
    store_state state;
    counting counted = {0};
    char counters[300];
    sweep_settings settings = {.counting = &counted, .cpu = child_pick_cpu(o->cpu, error)};
    if (settings.cpu < 0)
        return -1;
    machine_read(&around.machine, NULL);
    blas_read(&around.blas);
    machine_fingerprint(around.fingerprint, &around.machine, around.blas.library, around.blas.core);
    snprintf(counters, sizeof counters, "%s%s%s", o->counters, o->group ? " " : "", o->group ? o->group : "");
    plan_hash(around.plan_hash, p, counters);
    store_identity identity = {p->name, around.plan_hash, BUILD_COMMIT, around.fingerprint};
    if (counting_open(&counted, o->counters, o->group, settings.cpu, error))
        return -1;
    if (store_open(&s, &state, o->out, &identity,
                   o->again     ? STORE_RESTART
                   : o->replace ? STORE_REPLACE
                                : STORE_REFUSE,
                   error)) {
        counting_close(&counted);
        return -1;
    }
    if (state == STORE_COMPLETE) {
        counting_close(&counted);
        return already_complete(o->out, error);
    }
    announce(p, &around, state, s, settings.cpu);
    child_catch_signals();
    int result = counting_validate(&counted, error);
    if (!result)
        result = sweep_run(p, &settings, s, error);
    if (!result)
        result = conclude(p, o, &around, &counted, s, error);
    else if (child_stop_signal())
        result = stopped(o->out);
    counting_close(&counted);
    store_close(s);
    return result;
}

int cmd_sweep(int argc, char **argv) {
    sweep_options o = {.counters = "auto", .cpu = -1, .repetitions = -1, .seed = -1, .min_time = -1};
    struct poptOption options[] = {
        {"plan", '\0', POPT_ARG_STRING, &o.plan, 0,
         "needed: a name (quick, paper, encoder, full; more in harness/plans) or a file", "PLAN"},
        {"out", '\0', POPT_ARG_STRING, &o.out, 0, "needed, but for --list: the results file", "R.json"},
        {"filter", '\0', POPT_ARG_STRING, &o.filter, 0, "only rows that it finds something in", "REGEX"},
        {"list", '\0', POPT_ARG_NONE, &o.list, 0, "print the rows and run nothing", NULL},
        {"counters", '\0', POPT_ARG_STRING, &o.counters, 0,
         "auto (default), papi, perf, callgrind (simulated: slow) or off", "SOURCES"},
        {"group", '\0', POPT_ARG_STRING, &o.group, 0,
         "count this group only (`attnbench counters groups`; or a file), in as many passes as it takes",
         "GROUP"},
        {"repetitions", '\0', POPT_ARG_LONGLONG, &o.repetitions, 0, "instead of the plan's", "N"},
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
    if (!command_options(argc, argv, "",
                         "Runs every case of a plan in a fresh process pinned to one CPU. The same command "
                         "resumes\nwhere an interrupted one stopped (which ends with status 128 + the "
                         "signal's number).",
                         options, NULL, &status))
        return status;
    if (read_plan(&p, &o, &error) || (!o.list && option_needs("--out", o.out, &error)))
        status = -1;
    else if (o.list)
        note_skipped(&p), status = list_rows(&p);
    else
        status = run(&p, &o, &error);
    plan_free(&p);
    return status < 0 ? command_fail(argv[0], &error) : status;
}
