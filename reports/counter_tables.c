/* Counters: which there are, where their values come from, or why there are none. */
#include "reports/report_tables.h"

#include "attn/alloc.h"
#include "harness/stats.h"

#include <math.h>
#include <string.h>

static const json_t *counter_of(const results_sample *s, const char *name) {
    return json_object_get(s->counters, name);
}

/* name -> row of the summary. A counter that changes source has a row for each. */
static void count_sample(json_t *rows, const results_sample *s) {
    const char *name;
    json_t *counter;
    json_object_foreach((json_t *)s->counters, name, counter) {
        const char *source = json_string_value(json_object_get(counter, "source"));
        const char *reason = json_string_value(json_object_get(counter, "unavailable"));
        char *key = attn_format(NULL, "%s\n%s", name, source ? source : reason);
        json_t *row = key ? json_object_get(rows, key) : NULL;
        if (key && !row) {
            row = json_pack("{s:s, s:o, s:i, s:o}", "counter", name, "source",
                            source ? json_string(source) : json_string("unavailable"), "samples", 0, "reason",
                            reason ? json_string(reason) : json_null());
            json_object_set_new(rows, key, row);
        }
        json_t *samples = json_object_get(row, "samples");
        json_integer_set(samples, json_integer_value(samples) + 1);
        attn_free(key);
    }
}

void table_counters(report_table *t, const report_data *data) {
    report_table_init(t, "Counters and where their values come from");
    report_column(t, "counter", "counter");
    report_column(t, "source", "source");
    report_column(t, "samples", "samples");
    report_column(t, "reason", "why unavailable");
    json_t *rows = json_object();
    for (size_t i = 0; i < data->count; i++)
        for (size_t k = 0; k < data->cases[i].c->count; k++)
            count_sample(rows, &data->cases[i].c->samples[k]);
    const char *key;
    json_t *row;
    json_object_foreach(rows, key, row) {
        table_add(&t->t, json_incref(row));
    }
    json_decref(rows);
    snprintf(t->note, sizeof t->note,
             "papi and perf are counted by the CPU, kernel by the operating system, sde by the program about "
             "itself, callgrind is simulated.");
}

/* The median over the repetitions that have the counter; NaN for none. */
static double counter_median(const results_case *c, const char *name) {
    double *values = attn_alloc(c->count, sizeof *values, "counters", NULL), median = NAN;
    size_t n = 0;
    if (!values)
        return NAN;
    for (size_t i = 0; i < c->count; i++) {
        const json_t *value = json_object_get(counter_of(&c->samples[i], name), "value");
        if (json_is_number(value))
            values[n++] = json_number_value(value);
    }
    stats_sort(values, n);
    if (n)
        median = stats_quantile(values, n, 0.5);
    attn_free(values);
    return median;
}

static bool has_column(const report_table *t, const char *name) {
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->columns[i].key, name))
            return true;
    return false;
}

/* A column for each counter that has a value anywhere; keys live as long as the results. */
static void counter_columns(report_table *t, const report_data *data) {
    for (size_t i = 0; i < data->count; i++)
        for (size_t k = 0; k < data->cases[i].c->count; k++) {
            const char *name;
            json_t *counter;
            json_object_foreach((json_t *)data->cases[i].c->samples[k].counters, name, counter) {
                if (json_object_get(counter, "value") && !has_column(t, name))
                    report_column(t, name, "%s", name);
            }
        }
}

void table_counter_values(report_table *t, const report_data *data) {
    report_table_init(t, "Counter values, median per iteration");
    report_column(t, "case", "case");
    counter_columns(t, data);
    for (size_t i = 0; t->count > 1 && i < data->count; i++) {
        const results_case *c = data->cases[i].c;
        if (!strcmp(c->kind, "machine"))
            continue;
        json_t *row = json_pack("{s:s}", "case", c->name);
        for (size_t k = 1; row && k < t->count; k++)
            json_object_set_new(row, t->columns[k].key, exact_count(counter_median(c, t->columns[k].key)));
        table_add(&t->t, row);
    }
    snprintf(t->note, sizeof t->note,
             "A dash is a counter that could not be read in that case: see the reasons above.");
}
