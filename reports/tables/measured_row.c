#include "reports/tables/measured_row.h"

#include "attn/alloc.h"
#include "reports/data/rounding.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double MS = 1e6; /* ns */

json_t *measured_range(const measured *m) {
    return json_sprintf("%.3g to %.3g", m->low / MS, m->high / MS);
}

int measured_row_add(json_t *row, const measured *m) {
    const struct {
        const char *key;
        json_t *value;
    } values[] = {{"wall_ms", four_digits(m->wall / MS)},
                  {"time_ms", four_digits(m->time / MS)},
                  {"range_ms", measured_range(m)},
                  {"low_ms", four_digits(m->low / MS)},
                  {"high_ms", four_digits(m->high / MS)},
                  {"runs", json_integer((json_int_t)m->runs)},
                  {"processes", json_integer((json_int_t)m->processes)},
                  {"disturbed", json_integer((json_int_t)m->disturbed)},
                  {"lost_percent", four_digits(100 * m->lost)},
                  {"bars", json_string(m->interval ? "95%" : "least to most")},
                  {"gflops", four_digits(m->gflops)},
                  {"of_sgemm_percent", four_digits(100 * m->sgemm)},
                  {"of_roof_percent", four_digits(100 * m->roof)},
                  {"max_error", four_digits(m->c->max_error)},
                  {"name", json_string(m->c->name)}};
    int failed = 0;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        failed |= json_object_set_new(row, values[i].key, values[i].value);
    return failed ? -1 : 0;
}

int measured_compare(const measured *a, const measured *b, const case_field *fields, size_t count) {
    size_t p = measured_type_rank(a), q = measured_type_rank(b);
    if (p != q)
        return p < q ? -1 : 1;
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
