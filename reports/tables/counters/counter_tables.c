/* Counters: which there are, where their values come from and whether they are right, or why there are none. */
#include "reports/data/counter_values.h"
#include "reports/tables/counters/counter_columns.h"

#include "attn/alloc.h"
#include "base/text/json.h"

#include <math.h>
#include <string.h>

/* ---- Where they come from */

/* What validation said of it, else why it is unavailable; not owned. */
static const char *reason_of(const results *r, const char *name, const json_t *counter) {
    const char *source = json_string_value(json_object_get(counter, "source"));
    const json_t *metric;
    size_t i;
    if (!source)
        return json_text(counter, "unavailable");
    json_array_foreach(json_object_get(r->own, "validation"), i, metric) {
        if (!strcmp(json_text(metric, "name"), name) && !strcmp(json_text(metric, "source"), source))
            return json_text(metric, "reason");
    }
    return counter_is_shown(counter) ? "" : "it was not validated";
}

static const char *validation_of(const json_t *counter) {
    const char *validation = json_text(counter, "validation");
    return !json_object_get(counter, "source") ? "" : *validation ? validation : "none";
}

/* name -> row of the summary. A counter that changes source has a row for each. */
static void count_sample(json_t *rows, const results *r, const results_sample *s) {
    const char *name;
    json_t *counter;
    json_object_foreach((json_t *)s->counters, name, counter) {
        const char *source = json_string_value(json_object_get(counter, "source"));
        const char *reason = reason_of(r, name, counter), *validation = validation_of(counter);
        char *key = attn_format(NULL, "%s\n%s\n%s", name, source ? source : reason, validation);
        json_t *row = key ? json_object_get(rows, key) : NULL;
        if (key && !row) {
            row = json_pack("{s:s, s:s, s:o, s:i, s:o}", "counter", name, "source",
                            source ? source : "unavailable", "validation",
                            *validation ? json_string(validation) : json_null(), "samples", 0, "reason",
                            *reason ? json_string(reason) : json_null());
            json_object_set_new(rows, key, row);
        }
        json_t *samples = json_object_get(row, "samples");
        json_integer_set(samples, json_integer_value(samples) + 1);
        attn_free(key);
    }
}

void table_counters(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Counters and where their values come from");
    report_column(t, "counter", "counter");
    report_column(t, "source", "source");
    report_column(t, "validation", "validation");
    report_column(t, "samples", "samples");
    report_column(t, "reason", "why not");
    json_t *rows = json_object();
    for (size_t i = 0; i < data->count; i++)
        for (size_t k = 0; k < data->cases[i].c->count; k++)
            count_sample(rows, data->results, &data->cases[i].c->samples[k]);
    const char *key;
    json_t *row;
    json_object_foreach(rows, key, row) {
        table_add(&t->t, json_incref(row));
    }
    json_decref(rows);
    table_say_once(&t->t, "reason", "counter");
    const json_t *by = json_object_get(data->results->own, "callgrind");
    snprintf(t->note, sizeof t->note,
             "papi, papi_native and perf are counted by the CPU, kernel by the operating system, sde by the "
             "program about itself, callgrind is simulated%s%s%s. Validation ran kernels with known answers: "
             "trusted is within 2%% of them, scaled off by a stable factor, by which the values below are "
             "divided, unchecked has no kernel with a known answer; what is rejected is not shown.",
             by ? " (" : "", json_text(by, "caches"), by ? ")" : "");
}

/* ---- Values */

static const json_t *derived_of(const results_sample *s) {
    return s->derived;
}

static const json_t *measured_of(const results_sample *s) {
    return s->measured;
}

/* Of all that any sample shows. */
static void add_columns(report_table *t, const report_data *data, counter_list *list) {
    for (size_t i = 0; i < data->count; i++)
        for (size_t k = 0; k < data->cases[i].c->count; k++)
            counter_columns(t, list(&data->cases[i].c->samples[k]));
}

static const char differs_key[] = "differs", flops_key[] = "flops_ratio", bytes_key[] = "bytes_ratio";

static bool any_ratio(const report_data *data, const char *what) {
    for (size_t i = 0; i < data->count; i++)
        if (!isnan(counter_median(data->cases[i].c, measured_of, what, "ratio")))
            return true;
    return false;
}

/* Whether a repetition is further from the formula than validation allows. */
static bool differs(const results_case *c, const char *what) {
    for (size_t i = 0; i < c->count; i++)
        if (json_is_true(json_object_get(json_object_get(c->samples[i].measured, what), "differs")))
            return true;
    return false;
}

static void add_ratio_columns(report_table *t, const report_data *data) {
    if (any_ratio(data, "flops"))
        report_column(t, flops_key, "FLOPs counted / formula");
    if (any_ratio(data, "bytes"))
        report_column(t, bytes_key, "bytes counted / formula");
    if (t->count > 1)
        report_column(t, differs_key, "differ by over 2%%");
}

static json_t *cell(const results_case *c, counter_list *list, const char *key) {
    bool flops = differs(c, "flops"), bytes = differs(c, "bytes");
    if (!strcmp(key, flops_key))
        return four_digits(counter_median(c, measured_of, "flops", "ratio"));
    if (!strcmp(key, bytes_key))
        return four_digits(counter_median(c, measured_of, "bytes", "ratio"));
    if (!strcmp(key, differs_key))
        return flops || bytes ? json_string(flops && bytes ? "FLOPs, bytes"
                                            : flops        ? "FLOPs"
                                                           : "bytes")
                              : json_null();
    double value = counter_median(c, list, key, NULL);
    return list == counter_counted ? exact_count(value) : four_digits(value);
}

static void add_rows(report_table *t, const report_data *data, counter_list *list) {
    for (size_t i = 0; t->count > 1 && i < data->count; i++) {
        const results_case *c = data->cases[i].c;
        if (!results_is_model(c))
            continue;
        json_t *row = json_pack("{s:s}", "case", c->name);
        for (size_t k = 1; row && k < t->count; k++)
            json_object_set_new(row, t->columns[k].key, cell(c, list, t->columns[k].key));
        table_add(&t->t, row);
    }
}

void table_counter_values(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Counter values, median per iteration");
    report_column(t, "case", "case");
    add_ratio_columns(t, data);
    add_columns(t, data, counter_counted);
    add_rows(t, data, counter_counted);
    snprintf(
        t->note, sizeof t->note,
        "A dash is a counter that could not be read in that case, or was not validated: see the reasons "
        "above. Bytes are counted as those that empty caches, or caches much smaller than the case, bring "
        "in; the formula is the least that has to be.");
}

void table_counter_rates(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Rates from counters, median");
    report_column(t, "case", "case");
    add_columns(t, data, derived_of);
    add_rows(t, data, derived_of);
    snprintf(
        t->note, sizeof t->note,
        "By the formulas of the groups in harness/counters/groups, over counters that are not rejected.");
}
