#include "reports/tables/sentences/findings.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "harness/machine/blas.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 20 };
static const double ROOF_SLACK = 1.02; /* above that it is not the clock's grain */

static void warn(json_t *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(json_t *list, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    json_array_append_new(list, json_vsprintf(format, arguments));
    va_end(arguments);
}

static void failed_checks(json_t *list, const results *r) {
    size_t failed = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->cases[i].error && failed++ < SHOWN)
            warn(list, "No numbers for %s: %s", r->cases[i].name, r->cases[i].error);
    if (failed > SHOWN)
        warn(list, "No numbers for %zu more cases either.", failed - SHOWN);
}

static void interrupted(json_t *list, const results *r) {
    double n = json_number_value(json_object_get(r->own, "interrupted"));
    if (n > 0)
        warn(list, "%.0f cases were in flight when a sweep was ended, and were run again.", n);
}

static void missing_shards(json_t *list, const results *r) {
    const json_t *missing = json_at(r->own, "shards.missing");
    if (json_array_size(missing))
        warn(list, "Shards are missing, and with them %zu cases of the plan, the first: %s.",
             json_array_size(missing), json_string_value(json_array_get(missing, 0)));
}

/* CPU time leaves out what others took, but not what they did to caches and clock speed meanwhile. */
static void shared_cpu(json_t *list, const report_data *data) {
    measured_samples all = measured_all_samples(data);
    const measured *worst = NULL;
    for (size_t i = 0; i < data->count; i++)
        if (!worst || data->cases[i].lost > worst->lost)
            worst = &data->cases[i];
    if (all.disturbed)
        warn(list,
             "The CPU was shared: of the %.3g s measured, the cases did not run for %.2g%%, at worst "
             "%.2g%% (%s). %zu of %zu samples are marked disturbed (over 1%% lost, or a page read from "
             "disk). Times here are CPU time, which leaves out what was lost; caches that others emptied "
             "still cost time.",
             all.passed / 1e9, 100 * all.lost, 100 * worst->lost, worst->c->name, all.disturbed, all.count);
}

static void few_runs(json_t *list, const report_data *data) {
    size_t few = 0, wide = 0, alone = 0;
    for (size_t i = 0; i < data->count; i++) {
        few += !data->cases[i].interval;
        alone += data->cases[i].processes == 1;
        wide += measured_varies(&data->cases[i]);
    }
    if (few)
        warn(list,
             "%zu of %zu cases have too few runs for a 95%% interval (6, or two processes, are needed): "
             "their bars are least to "
             "most.",
             few, data->count);
    if (alone)
        warn(list,
             "%zu of %zu cases were measured in one process: their bars lack how much a process differs from "
             "the next one.",
             alone, data->count);
    if (wide)
        warn(list, "In %zu of %zu cases the bars are wider than %.0f%% of the median.", wide, data->count,
             100 * MEASURED_VARIES);
}

static void cache_mismatch(json_t *list, const report_data *data) {
    size_t different = 0;
    const results_case *first = NULL;
    for (size_t i = 0; i < data->count; i++) {
        const results_case *c = data->cases[i].c;
        if (!isnan(c->kv_bytes_live) && c->kv_bytes_live != c->kv_bytes_formula) {
            different++;
            first = first ? first : c;
        }
    }
    if (first)
        warn(list,
             "Cache bytes allocated differ from the formula in %zu cases, first in %s: %.0f, formula %.0f.",
             different, first->name, first->kv_bytes_live, first->kv_bytes_formula);
}

static void blas_core(json_t *list, const results *r) {
    const char *core = results_text(r, "blas.core", ""), *isa = results_text(r, "machine.isa", "");
    for (int i = 0; attn_isa_names[i]; i++) {
        const char *better = strcmp(isa, attn_isa_names[i]) ? NULL : blas_better_core(core, (attn_isa)i);
        if (better)
            warn(list,
                 "%s ran with its %s kernels, which leave vector instructions of this CPU (%s) unused: "
                 "sgemm, and what stands on it, is slower than it could be. OPENBLAS_CORETYPE=%s would suit "
                 "it better.",
                 results_text(r, "blas.library", "BLAS"), core, isa, better);
    }
}

/* How much of a reason is of the first source: "papi: no PMU; perf: no PMU" goes on with another one. */
static int first_source(const char *reason) {
    for (const char *at = reason; (at = strstr(at, "; ")); at += 2)
        if (at[2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz")] == ':')
            return (int)(at - reason);
    return (int)strlen(reason);
}

/* The table of counters has all of them, and the reason of each. */
static void unavailable_counters(json_t *list, const report_data *data) {
    enum { NAMED = 4 };
    report_table counters;
    table_counters(&counters, &(table_sources){.data = data});
    char names[200] = "";
    const char *reason = NULL;
    size_t count = 0, i;
    json_t *row;
    json_array_foreach(counters.t.rows, i, row) {
        const char *why = json_string_value(json_object_get(row, "reason"));
        const char *validation = json_string_value(json_object_get(row, "validation"));
        if (!why || (validation && !strcmp(validation, "scaled")))
            continue;
        if (count++ < NAMED)
            text_list(names, sizeof names, ", ", "%s", json_string_value(json_object_get(row, "counter")));
        reason = reason ? reason : why;
    }
    if (count)
        warn(list,
             "%zu counter%s could not be read here, or %s rejected (%s%s). Of the first: %.*s. The table of "
             "counters has all of them with their reasons.",
             count, count == 1 ? "" : "s", count == 1 ? "was" : "were", names, count > NAMED ? ", ..." : "",
             first_source(reason), reason);
    report_table_free(&counters);
}

static double ratio_of(const results_case *c, const char *what) {
    const json_t *counted = c->count ? json_object_get(c->samples[0].measured, what) : NULL;
    const json_t *ratio = json_object_get(counted, "ratio");
    return json_is_true(json_object_get(counted, "differs")) ? json_number_value(ratio) : NAN;
}

/* FLOPs should be those of the formula. Bytes may be more than the least that the formula gives, never less. */
static void counts_against_formulas(json_t *list, const report_data *data) {
    static const char *const what[] = {"flops", "bytes"};
    for (size_t k = 0; k < 2; k++) {
        size_t count = 0;
        double ratio = NAN;
        const results_case *first = NULL;
        for (size_t i = 0; i < data->count; i++) {
            double its = ratio_of(data->cases[i].c, what[k]);
            if (isnan(its) || (k == 1 && its > 1))
                continue;
            count++;
            ratio = first ? ratio : its;
            first = first ? first : data->cases[i].c;
        }
        if (first)
            warn(list,
                 "%s counted are not those of the formula in %zu of %zu cases, first in %s: %.3g times.",
                 k ? "Bytes" : "FLOPs", count, data->count, first->name, ratio);
    }
}

/* A roof that something broke through was not the roof. */
static void doubtful_roofs(json_t *list, const report_data *data) {
    if (data->roofs.sgemm > data->roofs.flops)
        warn(list,
             "sgemm reached %.3g GFLOP/s, the loop that measures peak FLOPs only %.3g: that one was slowed "
             "down. The higher of the two is the roof.",
             data->roofs.sgemm, data->roofs.flops);
    size_t above = 0;
    const measured *most = NULL;
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (!(m->roof > ROOF_SLACK))
            continue;
        above++;
        most = most && most->roof >= m->roof ? most : m;
    }
    if (most)
        warn(list,
             "%zu case%s faster than the roof measured for %s, the most %s at %.0f%%. No case beats the "
             "machine: the machine rows were slowed down, or none has a working set as small as the case's. "
             "Percentages of the roof are then too high everywhere.",
             above, above == 1 ? " is" : "s are", above == 1 ? "it" : "them", most->c->name,
             100 * most->roof);
}

static void machine_state(json_t *list, const results *r) {
    const char *hypervisor = results_text(r, "machine.hypervisor", "");
    const char *governor = results_text(r, "machine.governor", "");
    if (*hypervisor)
        warn(list, "Measured in a virtual machine (%s): neighbours can slow it down unseen.", hypervisor);
    if (*governor && strcmp(governor, "performance"))
        warn(list, "The CPU's frequency governor was %s.", governor);
    if (strstr(results_text(r, "commit", ""), "-dirty"))
        warn(list,
             "Built from a working tree with uncommitted changes: the commit alone does not reproduce it.");
}

json_t *warnings_list(const report_data *data) {
    json_t *list = json_array();
    failed_checks(list, data->results);
    interrupted(list, data->results);
    missing_shards(list, data->results);
    cache_mismatch(list, data);
    counts_against_formulas(list, data);
    blas_core(list, data->results);
    shared_cpu(list, data);
    few_runs(list, data);
    doubtful_roofs(list, data);
    machine_state(list, data->results);
    unavailable_counters(list, data);
    return list;
}
