#include "harness/results/result_entry.h"

#include "base/statistics/disturbed.h"
#include "base/statistics/stats.h"
#include "bench/field.h"
#include "bench/peers/peer.h"
#include "harness/counters/counter_set.h"

#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void set(json_t *object, const char *key, json_t *value) {
    json_object_set_new(object, key, value);
}

/* The words of the row, before its fields. */
static void set_words(json_t *o, const bench_case *c) {
    if (c->kind == BENCH_MACHINE || c->kind == BENCH_KERNEL) {
        set(o, "what", json_string(c->subject));
        return;
    }
    if (c->kind == BENCH_ENCODER)
        set(o, "model", json_string(attn_model_type_names[c->model]));
    set(o, "type", json_string(c->variant->name));
    set(o, "mode", json_string(c->mode));
}

static json_t *case_json(const bench_case *c) {
    static const char *const kinds[] = {[BENCH_ATTENTION] = "attention",
                                        [BENCH_ENCODER] = "encoder",
                                        [BENCH_MACHINE] = "machine",
                                        [BENCH_KERNEL] = "kernel"};
    json_t *o = json_pack("{ss}", "kind", kinds[c->kind]);
    if (!o)
        return NULL;
    set_words(o, c);
    for (size_t i = 0; i < BENCH_FIELDS; i++) {
        const bench_field *field = &bench_fields[i];
        size_t value = bench_field_get(field, c);
        if (!bench_field_applies(field, field->results, c) ||
            ((field->unsaid & (unsigned)c->where) && bench_field_is_default(field, c)))
            continue;
        set(o, field->key, field->words ? json_string(field->words[value]) : json_integer((json_int_t)value));
    }
    return o;
}

json_t *entry_failed(const bench_case *c, const char *message) {
    return json_pack("[{ss si si ss ss si si si so sb ss si sf sf ss}]", "name", c->name, "family_index", 0,
                     "per_family_instance_index", 0, "run_name", c->name, "run_type", "iteration",
                     "repetitions", 1, "repetition_index", 0, "threads", 1, "case", case_json(c),
                     "error_occurred", 1, "error_message", message, "iterations", 0, "real_time", 0.0,
                     "cpu_time", 0.0, "time_unit", "ns");
}

/* By which of several names it was counted; NULL where it has one only. */
static const char *event_of(const json_t *context, const char *name) {
    char key[64];
    snprintf(key, sizeof key, COUNTER_EVENT_KEY "%s", name);
    return json_string_value(json_object_get(context, key));
}

/* A counter is a number of the run; the context says where it comes from, or why there is none. */
static json_t *counters_json(const bench_case *c, const json_t *context, const json_t *run) {
    json_t *counters = json_object();
    const char *key;
    json_t *origin;
    json_object_foreach((json_t *)context, key, origin) {
        const char *source = json_string_value(origin), *name = key + strlen(COUNTER_KEY);
        if (strncmp(key, COUNTER_KEY, strlen(COUNTER_KEY)) || !source)
            continue;
        const json_t *value = json_object_get(run, name);
        if (bench_peer_of(c))
            set(counters, name,
                json_pack("{ss}", "unavailable", "a peer has a process of its own, which is not counted"));
        else if (!strncmp(source, COUNTER_UNAVAILABLE, strlen(COUNTER_UNAVAILABLE)))
            set(counters, name, json_pack("{ss}", "unavailable", source + strlen(COUNTER_UNAVAILABLE)));
        else if (c->threads > 1)
            set(counters, name,
                json_pack("{ss+}", "unavailable", source, ": counts one thread, and the case has more"));
        else if (json_is_number(value))
            set(counters, name,
                json_pack("{ss sf ss*}", "source", source, "value", json_number_value(value), "event",
                          event_of(context, name)));
        else
            set(counters, name,
                json_pack("{ss+}", "unavailable", source,
                          ": could not be read in this repetition, or read a value that cannot be"));
    }
    return counters;
}

/* Of one part: the counters that it has a number of. Reasons stand in `counters`. */
static json_t *part_counters(const json_t *context, const json_t *run, const char *part) {
    json_t *counters = json_object();
    const char *key;
    json_t *source;
    json_object_foreach((json_t *)context, key, source) {
        char name[128];
        if (strncmp(key, COUNTER_KEY, strlen(COUNTER_KEY)))
            continue;
        snprintf(name, sizeof name, "%s.%s", part, key + strlen(COUNTER_KEY));
        json_t *value = json_object_get(run, name);
        if (value)
            set(counters, key + strlen(COUNTER_KEY), json_pack("{sO sO}", "source", source, "value", value));
    }
    return counters;
}

/* part -> counters; NULL when no part has any. */
static json_t *counters_by_part(const json_t *context, const json_t *run) {
    json_t *parts = json_object();
    for (int i = 0; i < BENCH_PARTS; i++) {
        json_t *counters = part_counters(context, run, bench_part_name(i));
        if (json_object_size(counters))
            set(parts, bench_part_name(i), counters);
        else
            json_decref(counters);
    }
    if (json_object_size(parts))
        return parts;
    json_decref(parts);
    return NULL;
}

static double number(const json_t *run, const char *key) {
    const json_t *value = json_object_get(run, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static json_t *check_json(const json_t *run) {
    return json_pack("{sf sf sI}", "max_error", number(run, "check_max_error"), "limit",
                     number(run, "check_limit"), "rows", (json_int_t)number(run, "check_rows"));
}

/* Seconds of each part; NULL when the run reports none. */
static json_t *parts_json(const json_t *run) {
    json_t *parts = NULL;
    for (int i = 0; i < BENCH_PARTS; i++) {
        char key[48];
        snprintf(key, sizeof key, "part_%s", bench_part_name(i));
        json_t *seconds = json_object_get(run, key);
        if (seconds && !parts)
            parts = json_object();
        if (seconds)
            json_object_set(parts, bench_part_name(i), seconds);
    }
    return parts;
}

static json_t *iteration_entry(const bench_case *c, const json_t *context, const json_t *run) {
    static const char *const kept[] = {"family_index",
                                       "per_family_instance_index",
                                       "run_type",
                                       "repetitions",
                                       "repetition_index",
                                       "threads",
                                       "iterations",
                                       "real_time",
                                       "cpu_time",
                                       "time_unit",
                                       "label",
                                       "flops",
                                       "bytes",
                                       "steps",
                                       "kv_bytes_formula",
                                       "kv_bytes_live",
                                       "peak_bytes",
                                       "delay_loops",
                                       "output_hash",
                                       "conv_bytes_formula",
                                       "conv_bytes_live",
                                       "audio_seconds",
                                       "parameters"};
    json_t *entry = json_pack("{ss ss}", "name", c->name, "run_name", c->name);
    for (size_t i = 0; entry && i < sizeof kept / sizeof *kept; i++) {
        json_t *value = json_object_get(run, kept[i]);
        if (value)
            json_object_set(entry, kept[i], value);
    }
    if (!entry)
        return NULL;
    json_t *row = case_json(c);
    if (json_object_get(run, "path_run"))
        set(row, "path_run",
            json_string(attn_path_names[number(run, "path_run") > 0 ? ATTN_PATH_ABSORB : ATTN_PATH_EXPAND]));
    set(entry, "case", row);
    set(entry, "counters", counters_json(c, context, run));
    set(entry, "disturbed",
        json_boolean(
            is_disturbed(number(run, "real_time"), number(run, "cpu_time"), number(run, "major_faults"))));
    json_t *parts = parts_json(run);
    if (parts)
        set(entry, "parts", parts);
    json_t *by_part = counters_by_part(context, run);
    if (by_part)
        set(entry, ENTRY_BY_PART, by_part);
    if (json_object_get(run, "check_limit"))
        set(entry, "check", check_json(run));
    return entry;
}

static int check_run(const json_t *run, attn_error *error) {
    static const char *const needed[] = {"real_time", "cpu_time", "iterations", "repetition_index"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!json_is_number(json_object_get(run, needed[i])))
            return attn_fail(error, "the measuring process printed no %s", needed[i]);
    const char *unit = json_string_value(json_object_get(run, "time_unit"));
    if (!unit || strcmp(unit, "ns"))
        return attn_fail(error, "the measuring process printed times in %.20s, expected ns",
                         unit ? unit : "no unit");
    for (size_t i = 0; i < 2; i++)
        if (!(number(run, needed[i]) > 0))
            return attn_fail(error, "the measuring process printed %s %g, expected more than 0", needed[i],
                             number(run, needed[i]));
    return 0;
}

static int is_iteration(const json_t *run) {
    const char *type = json_string_value(json_object_get(run, "run_type"));
    return type && !strcmp(type, "iteration");
}

static int append_iterations(json_t *entries, const bench_case *c, const json_t *root, const char **failure,
                             attn_error *error) {
    const json_t *context = json_object_get(root, "context");
    size_t i;
    json_t *run;
    *failure = NULL;
    json_array_foreach(json_object_get(root, "benchmarks"), i, run) {
        if (!is_iteration(run))
            continue;
        if (json_is_true(json_object_get(run, "error_occurred"))) {
            *failure = json_string_value(json_object_get(run, "error_message"));
            *failure = *failure ? *failure : "the measuring process gave no reason";
            return 0;
        }
        if (check_run(run, error))
            return -1;
        if (json_array_append_new(entries, iteration_entry(c, context, run)))
            return attn_no_memory(error, NULL);
    }
    return json_array_size(entries) ? 0 : attn_fail(error, "the measuring process printed no measurement");
}

/* A double for every repetition. */
static double *column(const json_t *entries, const char *key, attn_error *error) {
    size_t i, n = json_array_size(entries);
    json_t *entry;
    double *values = attn_alloc(n, sizeof *values, "samples", error);
    if (!values)
        return NULL;
    json_array_foreach(entries, i, entry) {
        values[i] = number(entry, key);
    }
    return values;
}

static json_t *aggregate_entry(const json_t *like, const char *which, const char *unit, size_t n, double real,
                               double cpu) {
    char name[BENCH_NAME_MAX + 16];
    snprintf(name, sizeof name, "%s_%s", json_string_value(json_object_get(like, "name")), which);
    return json_pack("{ss sO sO sO sO ss sO sO ss ss sI sf sf ss}", "name", name, "family_index",
                     json_object_get(like, "family_index"), "per_family_instance_index",
                     json_object_get(like, "per_family_instance_index"), "run_name",
                     json_object_get(like, "run_name"), "case", json_object_get(like, "case"), "run_type",
                     "aggregate", "repetitions", json_object_get(like, "repetitions"), "threads",
                     json_object_get(like, "threads"), "aggregate_name", which, "aggregate_unit", unit,
                     "iterations", (json_int_t)n, "real_time", real, "cpu_time", cpu, "time_unit", "ns");
}

int entry_add_aggregates(json_t *entries, attn_error *error) {
    size_t n = json_array_size(entries);
    stats_summary real, cpu;
    if (n < 2)
        return 0;
    double *reals = column(entries, "real_time", error), *cpus = column(entries, "cpu_time", error);
    int result =
        reals && cpus && !stats_summarize(&real, reals, n, error) && !stats_summarize(&cpu, cpus, n, error)
            ? 0
            : -1;
    attn_free(reals);
    attn_free(cpus);
    if (result)
        return -1;
    const struct {
        const char *name, *unit;
        double real, cpu;
    } rows[] = {{"mean", "time", real.mean, cpu.mean},
                {"median", "time", real.median, cpu.median},
                {"stddev", "time", real.sd, cpu.sd},
                {"cv", "percentage", real.cv, cpu.cv}};
    const json_t *like = json_array_get(entries, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (json_array_append_new(
                entries, aggregate_entry(like, rows[i].name, rows[i].unit, n, rows[i].real, rows[i].cpu)))
            return attn_fail(error, "an aggregate of the samples is not a number");
    return 0;
}

json_t *entry_list(const bench_case *c, const char *text, size_t size, bool *failed, attn_error *error) {
    json_error_t why;
    const char *failure = NULL;
    *failed = false;
    json_t *root = json_loadb(text ? text : "", size, JSON_REJECT_DUPLICATES, &why);
    json_t *entries = root ? json_array() : NULL;
    int result = 0;
    if (!root)
        result = attn_fail(error, "the measuring process printed no JSON: line %d: %s", why.line, why.text);
    else if (!entries)
        result = attn_no_memory(error, NULL);
    if (!result)
        result = append_iterations(entries, c, root, &failure, error);
    if (!result && failure) {
        *failed = true;
        json_decref(entries);
        entries = entry_failed(c, failure);
    } else if (!result) {
        result = entry_add_aggregates(entries, error);
    }
    json_decref(root);
    if (!result)
        return entries;
    json_decref(entries);
    return NULL;
}

static double median_of(const json_t *entries, const char *key) {
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) {
        const char *which = json_string_value(json_object_get(entry, "aggregate_name"));
        if (which && !strcmp(which, "median"))
            return number(entry, key);
    }
    return number(json_array_get(entries, 0), key);
}

double entry_median(const json_t *entries) {
    return median_of(entries, "real_time");
}

double entry_median_cpu(const json_t *entries) {
    return median_of(entries, "cpu_time");
}

double entry_lost(const json_t *entries) {
    double passed = 0, ran = 0;
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) {
        if (json_object_get(entry, "aggregate_name"))
            continue;
        passed += number(entry, "real_time") * number(entry, "iterations");
        ran += number(entry, "cpu_time") * number(entry, "iterations");
    }
    return lost_share(passed, ran);
}

size_t entry_disturbed(const json_t *entries) {
    size_t i, count = 0;
    json_t *entry;
    json_array_foreach(entries, i, entry) {
        count += json_is_true(json_object_get(entry, "disturbed"));
    }
    return count;
}
