#include "reports/tables/measured_row.h"

#include "attn/alloc.h"
#include "reports/data/rounding.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "1.2 to 1.3", in units of that many ns. */
static json_t *range_of(const measured *m, double ns) {
    json_t *low = four_digits(m->low / ns), *high = four_digits(m->high / ns);
    json_t *range = json_sprintf("%.10g to %.10g", json_number_value(low), json_number_value(high));
    json_decref(low);
    json_decref(high);
    return range;
}

static int add_times(json_t *row, const measured *m, const char *unit) {
    double ns = strcmp(unit, "ms") ? 1e3 : 1e6;
    const struct {
        const char *what;
        json_t *value;
    } times[] = {{"wall", four_digits(m->wall / ns)},
                 {"time", four_digits(m->time / ns)},
                 {"range", range_of(m, ns)},
                 {"low", four_digits(m->low / ns)},
                 {"high", four_digits(m->high / ns)}};
    int failed = 0;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char key[16];
        snprintf(key, sizeof key, "%s_%s", times[i].what, unit);
        failed |= json_object_set_new(row, key, times[i].value);
    }
    return failed;
}

int measured_row_add(json_t *row, const measured *m, const char *unit) {
    const struct {
        const char *key;
        json_t *value;
    } values[] = {{"runs", json_integer((json_int_t)m->runs)},
                  {"processes", json_integer((json_int_t)m->processes)},
                  {"disturbed", json_integer((json_int_t)m->disturbed)},
                  {"lost_percent", four_digits(100 * m->lost)},
                  {"bars", json_string(m->interval ? "95%" : "least to most")},
                  {"gflops", four_digits(m->gflops)},
                  {"of_sgemm_percent", four_digits(100 * m->sgemm)},
                  {"of_roof_percent", four_digits(100 * m->roof)},
                  {"max_error", four_digits(m->c->max_error)},
                  {"name", json_string(m->c->name)}};
    int failed = add_times(row, m, unit);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        failed |= json_object_set_new(row, values[i].key, values[i].value);
    return failed ? -1 : 0;
}

static size_t type_rank(const measured *m) {
    size_t rank = 0;
    while (attn_variants[rank] && attn_variants[rank] != m->variant)
        rank++;
    return rank;
}

int measured_compare(const measured *a, const measured *b, const case_field *fields, size_t count) {
    if (type_rank(a) != type_rank(b))
        return type_rank(a) < type_rank(b) ? -1 : 1;
    for (size_t i = 0; i < count; i++) {
        double x = case_number(a->c, fields[i]), y = case_number(b->c, fields[i]);
        int words = isnan(x) ? strcmp(case_word(a->c, fields[i]), case_word(b->c, fields[i])) : 0;
        if (words)
            return words;
        if (!isnan(x) && x != y)
            return x < y ? -1 : 1;
    }
    return strcmp(a->c->name, b->c->name);
}

const measured **measured_select(size_t *count, report_table *t, const report_data *data,
                                 bool (*wanted)(const report_data *data, const measured *m),
                                 int (*order)(const void *left, const void *right)) {
    const measured **found = attn_alloc(data->count, sizeof *found, "rows", NULL);
    *count = 0;
    for (size_t i = 0; found && i < data->count; i++)
        if (wanted(data, &data->cases[i]))
            found[(*count)++] = &data->cases[i];
    if (!found)
        table_add(&t->t, NULL);
    else if (*count)
        qsort(found, *count, sizeof *found, order);
    return found;
}
