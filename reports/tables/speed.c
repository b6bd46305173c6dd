/* One row for each case of one layer. */
#include "base/text/append.h"
#include "reports/data/case_names.h"
#include "reports/tables/measured_row.h"
#include "reports/tables/table_list.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

/* Type, mode, and the fields that rows of attention have. */
typedef struct shape {
    size_t count;
    case_column key[2 + BENCH_FIELDS];
} shape;

static shape shape_of(const report_data *data) {
    shape s = {.key = {{"type", FIELD_TYPE}, {"mode", FIELD_MODE}}};
    s.count = 2 + case_columns(s.key + 2, data, "attention");
    return s;
}

static bool is_row(const measured *m) {
    return !strcmp(m->c->kind, "attention");
}

/* What the name of a type says already. */
static bool is_in_name(case_field field) {
    return field & (FIELD_TYPE | FIELD_DC | FIELD_HKV | FIELD_KV);
}

static bool varies(const report_data *data, case_field field) {
    const results_case *first = NULL;
    for (size_t i = 0; i < data->count; i++) {
        if (!is_row(&data->cases[i]))
            continue;
        if (!first)
            first = data->cases[i].c;
        if (!case_same(first, data->cases[i].c, field))
            return true;
    }
    return false;
}

/* What all rows share is said once, under the table. */
static void shape_columns(report_table *t, const report_data *data, const shape *s) {
    const measured *any = NULL;
    for (size_t i = 0; i < data->count && !any; i++)
        any = is_row(&data->cases[i]) ? &data->cases[i] : NULL;
    for (size_t k = 0; any && k < s->count; k++) {
        if (varies(data, s->key[k].field)) {
            report_column(t, s->key[k].key, "%s", s->key[k].key);
            if (is_in_name(s->key[k].field))
                report_column_in_files(t);
            continue;
        }
        double number = case_number(any->c, s->key[k].field);
        const char *word = isnan(number) ? case_word(any->c, s->key[k].field) : "";
        if (number > 0)
            text_append(t->note, sizeof t->note, "%s %.0f, ", s->key[k].key, number);
        else if (*word)
            text_append(t->note, sizeof t->note, "%s %s, ", s->key[k].key, word);
    }
    text_append(
        t->note, sizeof t->note,
        "%sone layer a case. CPU time is the median a call, low to high a 95%% interval of it, over "
        "processes (of one: over its runs from 6 on, else least to most). Roofs are the best of their runs: "
        "above 100%%, one was measured too low. Cache sizes are those allocated. Further columns, here on "
        "request and in the csv and json files: wall clock, the part of it in which the case did not run, "
        "runs, processes, disturbed samples, time a frame, GB/s, the share of sgemm, cache bytes by formula.",
        *t->note ? "in every row; " : "");
}

static void add_speed_row(report_table *t, const measured *m, const shape *s) {
    const results_case *c = m->c;
    char label[CASE_NAME];
    case_short_name(label, sizeof label, c);
    json_t *row = json_pack("{s:s}", "label", label);
    double frames = c->q ? (double)c->q * (double)c->B : NAN;
    const struct {
        const char *key;
        json_t *value;
    } values[] = {{"frame_ms", four_digits(m->time / 1e6 / frames)},
                  {"gbytes", four_digits(m->gbytes)},
                  {"kv_bytes_formula", exact_count(c->kv_bytes_formula)},
                  {"kv_bytes_live", exact_count(c->kv_bytes_live)}};
    int bad = !row || measured_row_add(row, m);
    for (size_t k = 0; !bad && k < s->count; k++)
        bad |= json_object_set_new(row, s->key[k].key, case_value(c, s->key[k].field));
    for (size_t k = 0; k < sizeof values / sizeof *values; k++)
        bad |= json_object_set_new(row, values[k].key, values[k].value);
    if (bad) {
        json_decref(row);
        row = NULL;
    }
    table_add(&t->t, row);
}

static bool is_shown(const report_data *data, const measured *m) {
    (void)data;
    return is_row(m);
}

/* What is slowest to change in reading first. */
static int by_shape(const void *left, const void *right) {
    static const case_field order[] = {FIELD_TYPE, FIELD_MODE, FIELD_IMPL, FIELD_KV,  FIELD_POS,
                                       FIELD_B,    FIELD_D,    FIELD_H,    FIELD_HKV, FIELD_DC,
                                       FIELD_PATH, FIELD_L,    FIELD_Q};
    return measured_compare(*(const measured *const *)left, *(const measured *const *)right, order,
                            sizeof order / sizeof *order);
}

static const report_column_row value_columns[] = {
    {"runs", "runs", REPORT_IN_FILES},
    {"processes", "processes", REPORT_IN_FILES},
    {"disturbed", "disturbed", REPORT_IN_FILES},
    {"time_ms", "CPU time, ms", 0},
    {"range_ms", "low to high", 0},
    {"low_ms", "low", REPORT_IN_FILES},
    {"high_ms", "high", REPORT_IN_FILES},
    {"wall_ms", "wall clock, ms", REPORT_IN_FILES},
    {"lost_percent", "% lost", REPORT_IN_FILES},
    {"frame_ms", "ms a frame", REPORT_IN_FILES},
    {"gflops", "GFLOP/s", 0},
    {"gbytes", "GB/s", REPORT_IN_FILES},
    {"of_sgemm_percent", "% of sgemm", REPORT_IN_FILES},
    {"of_roof_percent", "% of roof", 0},
    {"kv_bytes_formula", "cache bytes by formula", REPORT_IN_FILES},
    {"kv_bytes_live", "cache, MiB", REPORT_MIB},
    {NULL, NULL, 0}};

void table_speed(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Speed of every attention case");
    report_column(t, "label", "type");
    shape s = shape_of(data);
    shape_columns(t, data, &s);
    report_columns(t, value_columns);
    size_t rows;
    const measured **order = measured_select(&rows, t, data, is_shown, by_shape);
    for (size_t i = 0; i < rows; i++)
        add_speed_row(t, order[i], &s);
    attn_free(order);
}
