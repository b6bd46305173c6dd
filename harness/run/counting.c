#include "harness/run/counting.h"

#include "base/home.h"
#include "harness/counters/derive.h"
#include "harness/counters/source/callgrind.h"
#include "harness/counters/validate/validate.h"
#include "harness/machine/machine.h"
#include "harness/results/result_entry.h"
#include "harness/run/child.h"
#include "harness/run/counting_merge.h"

#include "attn/alloc.h"

#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool stopped(void) {
    return child_stop_signal() != 0;
}

int counting_validate(counting *c, attn_error *error) {
    const char *words[] = {NULL,         "counters", "validate", "--format", "json",
                           "--counters", c->word,    NULL,       NULL,       NULL};
    attn_error why = {0};
    json_error_t bad;
    child_result r = {0};
    char *program = home_executable(error);
    if (!program)
        return -1;
    words[0] = program;
    if (c->group_as) {
        words[7] = "--group";
        words[8] = c->group_as;
    }
    bool failed = child_run(&r, (char **)words, c->cpu, &why) != 0;
    json_t *root = failed || r.status ? NULL : json_loads(r.output, 0, &bad);
    json_t *metrics = json_object_get(root, "metrics");
    c->metrics = json_is_array(metrics) ? json_incref(metrics) : NULL;
    json_decref(root);
    attn_free(r.output);
    attn_free(program);
    if (stopped())
        return attn_fail_as(error, why.code, "%s", why.message);
    if (!c->metrics)
        fprintf(stderr, "note: counters could not be validated, so that none is trusted: %s\n",
                failed ? why.message : r.message);
    return 0;
}

/* CPUs of a hybrid machine have unlike counters: what fits is tried on the CPU that will be measured. */
static int plan_where_it_runs(counting *c, attn_error *error) {
    cpu_set_t before, one;
    bool known = !sched_getaffinity(0, sizeof before, &before);
    CPU_ZERO(&one);
    CPU_SET((size_t)c->cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    int result =
        counter_passes_plan(&c->passes, counter_sources(c->word), c->group.events, c->group.count, error);
    if (known)
        sched_setaffinity(0, sizeof before, &before);
    return result;
}

/* A group that fits is one pass, and so is everything without a group: what does not fit is left out then. */
static int plan_passes(counting *c, attn_error *error) {
    if (!c->group_as)
        return 0;
    if (c->simulated) {
        c->passes.count = 1;
        memcpy(c->passes.pass[0].events, c->group.events, c->group.count * sizeof *c->group.events);
        c->passes.pass[0].count = c->group.count;
    } else if (plan_where_it_runs(c, error)) {
        return -1;
    }
    for (size_t i = 0; i < c->passes.count; i++)
        if (!(c->events[i] = counter_pass_names(&c->passes.pass[i], error)))
            return -1;
    return 0;
}

/* Those that come with the program. It can do without them. */
static int read_groups(group_list *groups, attn_error *error) {
    attn_error why = {0};
    if (!group_list_read(groups, &why))
        return 0;
    if (why.code == ATTN_ERROR_MEMORY)
        return attn_fail_as(error, why.code, "%s", why.message);
    fprintf(stderr, "note: no rates are computed from counters: %s\n", why.message);
    return 0;
}

/* Of a file; the name of a group stays as it is. */
static char *absolute(const char *group, attn_error *error) {
    char path[PATH_MAX];
    bool found = group_is_path(group) && realpath(group, path);
    return attn_strdup(found ? path : group, error);
}

int counting_open(counting *c, const char *word, const char *group, int cpu, attn_error *error) {
    machine m;
    *c = (counting){.word = word, .cpu = cpu, .simulated = !strcmp(word, "callgrind")};
    machine_read(&m, NULL);
    c->cache_bytes = (double)machine_cache_bytes(&m, machine_cache_bytes(&m, 3) ? 3 : 2);
    int result = group ? group_read(&c->group, group, error) : read_groups(&c->groups, error);
    if (!result && group && !(c->group_as = absolute(group, error)))
        result = -1;
    if (!result && c->simulated && callgrind_refusal())
        result = attn_fail(error, "--counters callgrind: %s", callgrind_refusal());
    if (!result)
        result = plan_passes(c, error);
    if (result)
        counting_close(c);
    return result;
}

void counting_close(counting *c) {
    for (size_t i = 0; i < PASSES_MAX; i++)
        attn_free(c->events[i]);
    attn_free(c->group_as);
    group_free(&c->group);
    group_list_free(&c->groups);
    json_decref(c->metrics);
    *c = (counting){0};
}

/* ---- Processes */

static size_t words_of_pass(const counting *c, const char *word, size_t pass, const char **words) {
    size_t count = 0;
    words[count++] = "--counters";
    words[count++] = word;
    if (c->group_as) {
        words[count++] = "--group";
        words[count++] = c->group_as;
        words[count++] = "--events";
        words[count++] = c->events[pass];
    }
    return count;
}

/* Of a simulated case only time is taken: `off`. */
size_t counting_words(const counting *c, const char *words[COUNTING_WORDS_MAX]) {
    return words_of_pass(c, c->simulated ? "off" : c->word, 0, words);
}

/* What it printed, as entries; NULL and why. */
static json_t *entries_of(const bench_case *row, const child_result *r, attn_error *why) {
    bool failed = false;
    json_t *entries = r->signal || !r->output ? NULL : entry_list(row, r->output, r->size, &failed, why);
    if (entries && !failed && !r->status)
        return entries;
    const json_t *message = json_object_get(json_array_get(entries, 0), "error_message");
    if (json_is_string(message))
        attn_fail(why, "%s", json_string_value(message));
    json_decref(entries);
    if (r->signal)
        attn_fail(why, "the process was ended by signal %d (%s)", r->signal, strsignal(r->signal));
    attn_fail(why, "the process ended with status %d: %s", r->status, r->message);
    return NULL;
}

typedef struct command_line {
    char seed[32], repetitions[64], min_time[64];
    const char *words[16 + COUNTING_WORDS_MAX];
} command_line;

static void write_command(command_line *l, const counting *c, const char *word, size_t pass, const plan *p,
                          const bench_case *row, const char *program) {
    size_t count = 0;
    snprintf(l->seed, sizeof l->seed, "%" PRIu64, p->seed);
    snprintf(l->repetitions, sizeof l->repetitions, "--benchmark_repetitions=%zu",
             c->simulated ? 1 : p->repetitions);
    snprintf(l->min_time, sizeof l->min_time, "--benchmark_min_time=%g", c->simulated ? 0 : p->min_time);
    if (program)
        l->words[count++] = program;
    const char *const fixed[] = {"bench", "--case",       row->name,   "--seed",
                                 l->seed, l->repetitions, l->min_time, "--benchmark_format=json"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        l->words[count++] = fixed[i];
    count += words_of_pass(c, word, pass, l->words + count);
    l->words[count] = NULL;
}

static int run_simulated(const counting *c, json_t *entries, const char *program, const plan *p,
                         const bench_case *row, attn_error *error) {
    command_line line = {0};
    child_result r = {0};
    attn_error why = {0};
    write_command(&line, c, c->word, 0, p, row, NULL);
    int failed = callgrind_run(&r, program, line.words, c->cpu, 0, &why);
    json_t *simulated = failed ? NULL : entries_of(row, &r, &why);
    attn_free(r.output);
    if (stopped())
        return attn_fail_as(error, why.code, "%s", why.message);
    int result = simulated ? merge_simulated(entries, simulated, error)
                           : merge_refusal(entries, c->word, why.message, error);
    json_decref(simulated);
    return result;
}

static int run_pass(const counting *c, size_t pass, json_t *entries, const char *program, const plan *p,
                    const bench_case *row, attn_error *error) {
    command_line line = {0};
    child_result r = {0};
    attn_error why = {0};
    write_command(&line, c, c->word, pass, p, row, program);
    int failed = child_run(&r, (char **)line.words, c->cpu, &why);
    json_t *more = failed ? NULL : entries_of(row, &r, &why);
    attn_free(r.output);
    if (stopped())
        return attn_fail_as(error, why.code, "%s", why.message);
    int result = merge_pass(entries, more, &c->passes, pass, why.message, error);
    json_decref(more);
    return result;
}

/* ---- What is made of it */

static int derive(const counting *c, json_t *entry, attn_error *error) {
    const json_t *counters = json_object_get(entry, "counters");
    json_t *derived = json_object();
    int result = derived && !json_object_set_new(entry, "derived", derived) ? 0 : attn_no_memory(error, NULL);
    if (c->group_as)
        result = result ? -1 : derive_formulas(derived, &c->group, counters, error);
    for (size_t i = 0; !result && i < c->groups.count; i++)
        result = derive_formulas(derived, &c->groups.groups[i], counters, error);
    if (!result && !c->group_as)
        drop_unavailable(derived); /* nobody asked for them */
    json_t *measured = result ? NULL : derive_measured(entry, c->cache_bytes, error);
    return measured && !json_object_set_new(entry, "measured", measured) ? 0 : -1;
}

static int mark_parts(const counting *c, const json_t *entry, attn_error *error) {
    const char *part;
    json_t *counters;
    json_object_foreach(json_object_get(entry, ENTRY_BY_PART), part, counters) {
        if (mark_validation(counters, c->metrics, error))
            return -1;
    }
    return 0;
}

int counting_complete(const counting *c, json_t *entries, const char *program, const plan *p,
                      const bench_case *row, attn_error *error) {
    for (size_t i = 1; i < c->passes.count; i++)
        if (run_pass(c, i, entries, program, p, row, error))
            return -1;
    if (c->simulated && run_simulated(c, entries, program, p, row, error))
        return -1;
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) {
        if (!json_object_get(entry, "counters"))
            continue;
        if (mark_validation(json_object_get(entry, "counters"), c->metrics, error) ||
            mark_parts(c, entry, error) || derive(c, entry, error))
            return attn_no_memory(error, NULL);
    }
    return 0;
}

void counting_describe(const counting *c, json_t *own) {
    json_object_set(own, "validation", c->metrics ? c->metrics : json_null());
    if (c->simulated)
        json_object_set_new(own, "callgrind", callgrind_json());
    if (c->group_as)
        json_object_set_new(own, "group",
                            json_pack("{ss si}", "name", c->group.name, "passes", (int)c->passes.count));
}
