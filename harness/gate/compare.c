#include "harness/gate/compare.h"

#include "base/statistics/stats.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "harness/gate/decide/one_process.h"
#include "harness/results/machines.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Below context.attnbench, but for the first. */
static const char *const fields[] = {
    "num_cpus",         "machine.cpu",       "machine.vendor",   "machine.family",   "machine.model",
    "machine.isa",      "machine.l1d_bytes", "machine.l2_bytes", "machine.l3_bytes", "machine.hypervisor",
    "machine.governor", "machine.kernel",    "blas.library",     "blas.core",        "blas.threads",
    "build.compiler",   "build.flags",       "fingerprint",
};

static const json_t *find_field(const results *r, const char *path) {
    if (!strchr(path, '.') && strcmp(path, "fingerprint"))
        return json_object_get(r->context, path);
    return json_at(r->own, path);
}

static void put_value(char *text, size_t size, const json_t *value) {
    if (json_is_string(value))
        snprintf(text, size, "%s", json_string_value(value));
    else if (json_is_number(value))
        snprintf(text, size, "%.10g", json_number_value(value));
    else
        snprintf(text, size, "unknown");
}

static bool differ(const json_t *a, const json_t *b) {
    bool no_a = !a || json_is_null(a), no_b = !b || json_is_null(b);
    return no_a || no_b ? no_a != no_b : !json_equal(a, b);
}

/* Cases of one file that ran on machines which may not be compared: which of them a case is on is chance. */
static size_t mixed(char *text, size_t size, const results *r, const char *side) {
    char cpus[300];
    size_t kinds = results_kinds(cpus, sizeof cpus, r);
    if (kinds < 2)
        return 0;
    text_list(text, size, "; ", "the %s is of %zu kinds of machine (%s)", side, kinds, cpus);
    return 1;
}

size_t compare_surroundings(char *text, size_t size, const results *base, const results *candidate) {
    text[0] = '\0';
    size_t count = mixed(text, size, base, "base");
    count += mixed(text, size, candidate, "candidate");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const json_t *a = find_field(base, fields[i]), *b = find_field(candidate, fields[i]);
        char from[128], to[128];
        bool summary = !strcmp(fields[i], "fingerprint"); /* only when it sees what the fields do not */
        if (!differ(a, b) || (summary && count))
            continue;
        put_value(from, sizeof from, a);
        put_value(to, sizeof to, b);
        text_list(text, size, "; ", "%s (%s, %s)", fields[i], from, to);
        count++;
    }
    return count;
}

/* Of the process that sample `from` is of. Overwrites as many times as it has samples. */
static double process_time(const results_case *c, size_t from, double *times, bool *disturbed) {
    size_t n = 0;
    for (size_t i = from; i < c->count; i++) {
        if (c->samples[i].process != c->samples[from].process)
            continue;
        times[n] = c->samples[i].real_time;
        disturbed[n++] = c->samples[i].disturbed;
    }
    return single_time(times, disturbed, n);
}

static bool is_first_of_process(const results_case *c, size_t sample) {
    for (size_t i = 0; i < sample; i++)
        if (c->samples[i].process == c->samples[sample].process)
            return false;
    return true;
}

double compare_case_time(const results_case *c, attn_error *error) {
    double *times = attn_alloc(c->count, sizeof *times, "times", error);
    double *of_process = attn_alloc(c->count, sizeof *of_process, "times", error), time = NAN;
    bool *disturbed = attn_alloc(c->count, sizeof *disturbed, "times", error);
    if (times && of_process && disturbed) {
        size_t n = 0;
        for (size_t i = 0; i < c->count; i++)
            if (is_first_of_process(c, i))
                of_process[n++] = process_time(c, i, times, disturbed);
        stats_sort(of_process, n);
        time = stats_quantile(of_process, n, 0.5);
    }
    attn_free(times);
    attn_free(of_process);
    attn_free(disturbed);
    return time;
}

void compare_case_bytes(const results_case *c, double bytes[GATE_BYTE_COUNTS][2], size_t side) {
    bytes[GATE_KV_BYTES][side] = c->kv_bytes_live;
    bytes[GATE_CONV_BYTES][side] = c->conv_bytes_live;
    bytes[GATE_PEAK_BYTES][side] = c->peak_bytes;
}

static bool measured(const results_case *c) {
    return c && !c->error && c->count;
}

static double effect_of(const results_case *base, const results_case *candidate, attn_error *error) {
    return log(compare_case_time(candidate, error) / compare_case_time(base, error));
}

/* Where most cases moved, that is taken for noise too: it looks the same as a busy machine. */
static int find_scale(double *scale, const results *base, const results *candidate, size_t *compared,
                      attn_error *error) {
    double *effects = attn_alloc(base->count, sizeof *effects, "differences", error);
    *compared = 0;
    if (!effects)
        return -1;
    for (size_t i = 0; i < base->count; i++) {
        const results_case *b = &base->cases[i], *c = results_find(candidate, b->name);
        if (measured(b) && measured(c))
            effects[(*compared)++] = effect_of(b, c, error);
    }
    if (isnan(*scale))
        *scale = single_scale(effects, *compared);
    attn_free(effects);
    return error->code ? -1 : 0;
}

static gate_row empty_row(const results_case *base, const results_case *candidate) {
    gate_row row = {.name = base ? base->name : candidate->name,
                    .unit = "ns",
                    .base = NAN,
                    .candidate = NAN,
                    .estimate = NAN,
                    .low = NAN,
                    .high = NAN,
                    .p = NAN,
                    .noise = NAN,
                    .floor = NAN,
                    .bytes = {{NAN, NAN}, {NAN, NAN}, {NAN, NAN}}};
    const results_case *const sides[] = {base, candidate};
    for (size_t i = 0; i < 2; i++)
        if (measured(sides[i]))
            compare_case_bytes(sides[i], row.bytes, i);
    return row;
}

/* As in the gate: a failed candidate counts more than a base that lacks the case. */
static gate_verdict absence(const results_case *base, const results_case *candidate) {
    if (!candidate)
        return GATE_MISSING_IN_CANDIDATE;
    if (base && !measured(base))
        return base->unsupported ? GATE_UNSUPPORTED : GATE_BASE_FAILED;
    if (!measured(candidate) && !candidate->unsupported)
        return GATE_CANDIDATE_FAILED;
    return base ? GATE_UNSUPPORTED : GATE_MISSING_IN_BASE;
}

static void judge_absence(gate_row *row, const results_case *base, const results_case *candidate) {
    row->verdict = absence(base, candidate);
    const results_case *failed = base && !measured(base)             ? base
                                 : candidate && !measured(candidate) ? candidate
                                                                     : NULL;
    row->why = failed ? failed->error ? failed->error : "no measurement" : NULL;
}

static void judge_times(gate_row *row, const results_case *base, const results_case *candidate,
                        const gate_rule *rule, single_noise noise, attn_error *error) {
    row->base = compare_case_time(base, error);
    row->candidate = compare_case_time(candidate, error);
    gate_finding f = single_judge(log(row->candidate / row->base), noise, rule);
    row->verdict = f.verdict;
    row->estimate = f.estimate;
    row->low = f.low;
    row->high = f.high;
    row->noise = f.noise;
    row->floor = f.floor;
    row->pairs = 1;
    if (isnan(noise.seen))
        row->why = "too few cases to see how much processes differ (give --noise)";
}

/* What all rows are judged by. */
typedef struct judging {
    const gate_rule *rule;
    single_noise noise;
    const char *caution;
} judging;

static int add_row(gate_rows *rows, const results_case *base, const results_case *candidate, const judging *j,
                   attn_error *error) {
    char why[1200];
    gate_row row = empty_row(base, candidate);
    if (measured(base) && measured(candidate))
        judge_times(&row, base, candidate, j->rule, j->noise, error);
    else
        judge_absence(&row, base, candidate);
    snprintf(why, sizeof why, "%s%s%s", row.why ? row.why : "", row.why && j->caution ? "; " : "",
             j->caution ? j->caution : "");
    row.why = *why ? why : NULL;
    return gate_rows_add(rows, &row, error) || error->code ? -1 : 0;
}

int compare_rows(gate_rows *rows, const results *base, const results *candidate, const gate_rule *rule,
                 double scale, const char *caution, attn_error *error) {
    size_t compared;
    if (find_scale(&scale, base, candidate, &compared, error))
        return -1;
    judging j = {.rule = rule, .noise = single_noise_of(scale, compared, rule), .caution = caution};
    for (size_t i = 0; i < base->count; i++) {
        const results_case *b = &base->cases[i];
        if (add_row(rows, b, results_find(candidate, b->name), &j, error))
            return -1;
    }
    for (size_t i = 0; i < candidate->count; i++)
        if (!results_find(base, candidate->cases[i].name) &&
            add_row(rows, NULL, &candidate->cases[i], &j, error))
            return -1;
    return 0;
}
