#include "harness/gate/google.h"

#include "base/text/json.h"
#include "harness/gate/decide/one_process.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

static double ns_of(const json_t *entry) {
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    const char *unit = json_text(entry, "time_unit");
    double time = json_number(entry, "real_time");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(*unit ? unit : "ns", units[i].name))
            return time > 0 ? time * units[i].ns : NAN;
    return NAN;
}

/* How much of what a repetition took was on a CPU, where it says both. */
static void add_ran(json_t *object, const json_t *entry, double time) {
    double real = json_number(entry, "real_time"), cpu = json_number(entry, "cpu_time"),
           iterations = json_number(entry, "iterations");
    if (!(cpu >= 0 && iterations > 0))
        return;
    double all = json_number_value(json_object_get(object, "ns")) + time * iterations,
           ran =
               json_number_value(json_object_get(object, "cpu_ns")) + time * iterations * fmin(1, cpu / real);
    json_object_set_new(object, "ns", json_real(all));
    json_object_set_new(object, "cpu_ns", json_real(ran));
}

/* The object of the benchmark that the entry is of, made when it is new. */
static json_t *object_of(json_t *all, const json_t *entry) {
    const char *run = json_text(entry, "run_name"), *name = *run ? run : json_text(entry, "name");
    json_t *object = json_object_get(all, name);
    if (object || !*name)
        return object;
    object = json_pack("{s[]}", "times");
    return json_object_set_new(all, name, object) ? NULL : object;
}

/* Why it did not run; NULL: it did. */
static const char *refusal_of(const json_t *entry) {
    if (json_is_true(json_object_get(entry, "error_occurred")))
        return json_text(entry, "error_message");
    return json_is_true(json_object_get(entry, "skipped")) ? json_text(entry, "skip_message") : NULL;
}

/* Of asymptotic complexity: it has no member for a time, and the name of a family of benchmarks. */
static bool is_of_family(const json_t *entry) {
    return *json_text(entry, "aggregate_name") && !json_object_get(entry, "real_time");
}

static int take_entry(json_t *all, const json_t *entry) {
    const char *aggregate = json_text(entry, "aggregate_name"), *refusal = refusal_of(entry);
    double time = ns_of(entry);
    if (!refusal && is_of_family(entry))
        return 0;
    json_t *object = object_of(all, entry);
    if (!object)
        return -1;
    if (refusal)
        return json_object_set_new(object, "error", json_string(refusal));
    if (isnan(time))
        return *aggregate ? 0 : json_object_set_new(object, "error", json_string("it reported no time"));
    if (!*aggregate) {
        add_ran(object, entry, time);
        return json_array_append_new(json_object_get(object, "times"), json_real(time));
    }
    return strcmp(aggregate, "mean") && strcmp(aggregate, "median")
               ? 0
               : json_object_set_new(object, aggregate, json_real(time));
}

json_t *google_read(const char *text, size_t size, const char *who, attn_error *error) {
    json_t *root = text ? json_loadb(text, size, 0, NULL) : NULL, *entry;
    const json_t *entries = json_object_get(root, "benchmarks");
    json_t *all = json_is_array(entries) && json_array_size(entries) ? json_object() : NULL;
    size_t i;
    json_array_foreach((json_t *)entries, i, entry) {
        if (all && take_entry(all, entry)) {
            json_decref(all);
            all = NULL;
        }
    }
    json_decref(root);
    if (!all)
        attn_fail(error,
                  "%s: did not print Google Benchmark's JSON on standard output "
                  "(--benchmark_format=json)",
                  who);
    else if (!json_object_size(all))
        attn_fail(error, "%s: its JSON has no benchmark, only the complexity of families", who);
    else
        return all;
    json_decref(all);
    return NULL;
}

void google_ran(double *ns, double *cpu_ns, const json_t *benchmark) {
    *ns += json_number_value(json_object_get(benchmark, "ns"));
    *cpu_ns += json_number_value(json_object_get(benchmark, "cpu_ns"));
}

double google_time(const json_t *benchmark) {
    const json_t *list = json_object_get(benchmark, "times");
    size_t count = json_array_size(list);
    double *times = attn_alloc(count, sizeof *times, "times", NULL);
    bool *disturbed = attn_alloc(count, sizeof *disturbed, "times", NULL);
    double time = NAN, median = json_number(benchmark, "median");
    if (count && times && disturbed) {
        for (size_t i = 0; i < count; i++)
            times[i] = json_number_value(json_array_get(list, i));
        time = single_best_time(times, disturbed, count);
    } else if (!count) {
        time = isnan(median) ? json_number(benchmark, "mean") : median;
    }
    attn_free(times);
    attn_free(disturbed);
    return json_object_get(benchmark, "error") ? NAN : time;
}
