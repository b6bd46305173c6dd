#define _GNU_SOURCE /* sched_getaffinity, sched_setaffinity */
#include "harness/run/counting.h"

#include "base/home.h"
#include "base/process/child.h"
#include "base/text/json.h"
#include "bench/peers/peer.h"
#include "harness/counters/derive.h"
#include "harness/counters/source/callgrind.h"
#include "harness/counters/validate/validate.h"
#include "harness/machine/machine.h"
#include "harness/results/result_entry.h"
#include "harness/run/counting_merge.h"

#include "attn/alloc.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int counting_validate(counting *c, attn_error *error) {
    const char *words[] = {NULL,         "counters", "validate", "--format", "json",
                           "--counters", c->word,    NULL,       NULL,       NULL};
    const child_place place = {.cpu = c->cpu};
    child_result r;
    json_t *root;
    attn_error why = {0};
    char *program = home_executable(error);
    if (!program)
        return -1;
    words[0] = program;
    if (c->group_as) {
        words[7] = "--group";
        words[8] = c->group_as;
    }
    bool failed = child_json(&root, &r, (char **)words, &place, &why) != 0;
    json_t *metrics = json_object_get(root, "metrics");
    c->metrics = json_is_array(metrics) ? json_incref(metrics) : NULL;
    json_decref(root);
    attn_free(program);
    if (why.code == ATTN_ERROR_STOPPED)
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
    bool found = home_is_path(group) && realpath(group, path);
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

static void words_of_pass(const counting *c, const char *word, size_t pass,
                          const char *words[MEASURE_COUNTER_WORDS]) {
    size_t count = 0;
    words[count++] = "--counters";
    words[count++] = word;
    if (c->group_as) {
        words[count++] = "--group";
        words[count++] = c->group_as;
        words[count++] = "--events";
        words[count++] = c->events[pass];
    }
    words[count] = NULL;
}

/* Of a simulated case only time is taken: `off`. */
void counting_words(const counting *c, const char *words[MEASURE_COUNTER_WORDS]) {
    words_of_pass(c, c->simulated ? "off" : c->word, 0, words);
}

/* A further process of a case that was timed. *more: its entries, or NULL and why. */
static int run_pass(json_t **more, const counting *c, size_t pass, const bench_case *row,
                    const measure_settings *timed, attn_error *why, attn_error *error) {
    const char *words[MEASURE_COUNTER_WORDS];
    measure_settings settings = *timed;
    measure_outcome outcome = MEASURE_FAILED;
    words_of_pass(c, c->word, pass, words);
    settings.counters = words;
    settings.simulated = c->simulated;
    if (c->simulated) /* usually the instructions of another CPU, and so another output */
        settings.output_hash = 0;
    if (measure_case(more, &outcome, row, &settings, why) && why->code != ATTN_ERROR_INPUT)
        return attn_fail_as(error, why->code, "%s", why->message);
    if (outcome == MEASURE_DONE)
        return 0;
    attn_fail(why, "%s", json_text(json_array_get(*more, 0), "error_message"));
    json_decref(*more);
    *more = NULL;
    return 0;
}

static int run_simulated(const counting *c, json_t *entries, const bench_case *row,
                         const measure_settings *timed, attn_error *error) {
    attn_error why = {0};
    json_t *simulated;
    if (run_pass(&simulated, c, 0, row, timed, &why, error))
        return -1;
    int result = simulated ? merge_simulated(entries, simulated, error)
                           : merge_refusal(entries, c->word, why.message, error);
    json_decref(simulated);
    return result;
}

static int run_counted(const counting *c, size_t pass, json_t *entries, const bench_case *row,
                       const measure_settings *timed, attn_error *error) {
    attn_error why = {0};
    json_t *more;
    if (run_pass(&more, c, pass, row, timed, &why, error))
        return -1;
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
    result = result ? -1 : derive_clock(derived, entry, error);
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

int counting_complete(const counting *c, json_t *entries, const json_t *earlier, const bench_case *row,
                      const measure_settings *timed, attn_error *error) {
    bool counted = !bench_peer_of(row);
    for (size_t i = 1; i < c->passes.count && counted; i++)
        if (run_counted(c, i, entries, row, timed, error))
            return -1;
    if (c->simulated && counted &&
        (earlier ? merge_simulated(entries, earlier, error) : run_simulated(c, entries, row, timed, error)))
        return -1;
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) {
        if (!json_object_get(entry, "counters"))
            continue;
        if (i) /* of one iteration of the process: said once */
            json_object_del(entry, ENTRY_BY_PART);
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
