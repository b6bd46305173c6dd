/* What each part of a case counted, in the iteration that was split. */
#include "reports/data/counter_values.h"
#include "reports/tables/counters/counter_columns.h"

#include <math.h>

/* One iteration was split, whose numbers are in every repetition: the first speaks for all. */
static const json_t *part_of(const results_case *c, size_t part) {
    return c->count ? c->samples[0].by_part[part] : NULL;
}

/* Of the parts that lie in no other. */
static double sum_of(const results_case *c, const char *name) {
    double sum = 0;
    for (size_t p = 0; p < ATTN_PARTS; p++) {
        const json_t *counter = json_object_get(part_of(c, p), name);
        sum += counter_is_shown(counter) ? counter_value(counter) : 0;
    }
    return sum;
}

static void add_row(report_table *t, const results_case *c, int part) {
    const json_t *counters = part_of(c, (size_t)part),
                 *instructions = json_object_get(counters, "instructions");
    if (!json_object_size(counters))
        return;
    double share =
        counter_is_shown(instructions) ? 100 * counter_value(instructions) / sum_of(c, "instructions") : NAN;
    json_t *row = json_pack("{s:s, s:s, s:o}", "case", c->name, "part", bench_part_name(part), "share",
                            four_digits(share));
    for (size_t i = 3; row && i < t->count; i++) {
        const json_t *counter = json_object_get(counters, t->columns[i].key);
        json_object_set_new(row, t->columns[i].key,
                            exact_count(counter_is_shown(counter) ? counter_value(counter) : NAN));
    }
    table_add(&t->t, row);
}

void table_counter_parts(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Counters by part");
    report_column(t, "case", "case");
    report_column(t, "part", "part");
    report_column(t, "share", "of the instructions, %%");
    for (size_t i = 0; i < data->count; i++)
        for (size_t p = 0; p < BENCH_PARTS; p++)
            counter_columns(t, part_of(data->cases[i].c, p));
    for (size_t i = 0; t->count > 3 && i < data->count; i++)
        for (int p = 0; p < ATTN_PARTS; p++) {
            add_row(t, data->cases[i].c, p);
            for (int inner = ATTN_PARTS; inner < BENCH_PARTS; inner++)
                if (bench_part_outer(inner) == p)
                    add_row(t, data->cases[i].c, inner);
        }
    snprintf(t->note, sizeof t->note,
             "Of one warm iteration by itself, read at every border between parts; the values above are of "
             "iterations in which nothing was read. A name after attention/ is a part of attention, and is "
             "in its sum.");
    t->presence = json_array_size(t->t.rows) ? TABLE_SHOWN : TABLE_NOT_GIVEN;
}
