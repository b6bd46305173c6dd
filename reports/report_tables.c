#include "reports/report_tables.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

void report_table_init(report_table *t, const char *title) {
    *t = (report_table){0};
    table_init(&t->t, title, t->columns);
}

void report_column(report_table *t, const char *key, const char *header, ...) {
    if (t->count == REPORT_COLUMNS)
        return;
    va_list arguments;
    va_start(arguments, header);
    vsnprintf(t->headers[t->count], REPORT_HEADER, header, arguments);
    va_end(arguments);
    t->columns[t->count] = (table_column){key, t->headers[t->count], NULL};
    t->count++;
}

void report_table_free(report_table *t) {
    table_free(&t->t);
}

json_t *four_digits(double value) {
    if (!isfinite(value))
        return json_null();
    if (value == 0)
        return json_real(0);
    double unit = pow(10, floor(log10(fabs(value))) - 3);
    return json_real(unit >= 1 ? round(value / unit) * unit : round(value / unit) / round(1 / unit));
}

double lines_common_x(const lines *l) {
    double best = NAN;
    for (size_t k = 0; l->count && k < l->line[0].count; k++) {
        double x = l->line[0].points[k].x;
        bool everywhere = true;
        for (size_t i = 1; i < l->count; i++)
            everywhere &= line_at(&l->line[i], x) != NULL;
        if (everywhere)
            best = fmax(best, x);
    }
    return best;
}

/* ---- speed: one row a case */

static const struct {
    const char *key;
    case_field field;
} shape_keys[] = {{"type", FIELD_TYPE}, {"mode", FIELD_MODE}, {"L", FIELD_L},     {"q", FIELD_Q},
                  {"B", FIELD_B},       {"h", FIELD_H},       {"d", FIELD_D},     {"hkv", FIELD_HKV},
                  {"dc", FIELD_DC},     {"kv", FIELD_KV},     {"pos", FIELD_POS}, {"path", FIELD_PATH},
                  {"impl", FIELD_IMPL}};
enum { SHAPE_KEYS = sizeof shape_keys / sizeof *shape_keys };

static bool is_row(const measured *m) {
    return strcmp(m->c->kind, "machine") != 0;
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

static json_t *shape_value(const results_case *c, case_field field) {
    double number = case_number(c, field);
    if (isnan(number)) {
        const char *word = case_word(c, field);
        return *word ? json_string(word) : json_null();
    }
    return number > 0 ? json_integer((json_int_t)number) : json_null();
}

/* What all rows share is said once, under the table. */
static void shape_columns(report_table *t, const report_data *data) {
    const measured *any = NULL;
    for (size_t i = 0; i < data->count && !any; i++)
        any = is_row(&data->cases[i]) ? &data->cases[i] : NULL;
    for (size_t k = 0; any && k < SHAPE_KEYS; k++) {
        size_t used = strlen(t->note);
        if (varies(data, shape_keys[k].field)) {
            report_column(t, shape_keys[k].key, "%s", shape_keys[k].key);
            continue;
        }
        double number = case_number(any->c, shape_keys[k].field);
        const char *word = isnan(number) ? case_word(any->c, shape_keys[k].field) : "";
        if (number > 0)
            snprintf(t->note + used, sizeof t->note - used, "%s %.0f, ", shape_keys[k].key, number);
        else if (*word)
            snprintf(t->note + used, sizeof t->note - used, "%s %s, ", shape_keys[k].key, word);
    }
    size_t used = strlen(t->note);
    snprintf(t->note + used, sizeof t->note - used, "%sone layer a case.", used ? "in every row; " : "");
}

static void add_speed_row(report_table *t, const measured *m) {
    const results_case *c = m->c;
    json_t *row = json_object();
    int bad = !row;
    for (size_t k = 0; !bad && k < SHAPE_KEYS; k++)
        bad |= json_object_set_new(row, shape_keys[k].key, shape_value(c, shape_keys[k].field));
    double frames = c->q ? (double)(c->q * c->B) : NAN;
    const struct {
        const char *key;
        json_t *value;
    } values[] = {{"runs", json_integer((json_int_t)m->runs)},
                  {"disturbed", json_integer((json_int_t)m->disturbed)},
                  {"time_us", four_digits(m->time / 1e3)},
                  {"low_us", four_digits(m->low / 1e3)},
                  {"high_us", four_digits(m->high / 1e3)},
                  {"bars", json_string(m->interval ? "95%" : "range")},
                  {"frame_us", four_digits(m->time / 1e3 / frames)},
                  {"gflops", four_digits(m->gflops)},
                  {"gbytes", four_digits(m->gbytes)},
                  {"of_sgemm_percent", four_digits(100 * m->sgemm)},
                  {"of_roof_percent", four_digits(100 * m->roof)},
                  {"kv_bytes_formula", four_digits(NAN)},
                  {"kv_bytes_live", four_digits(NAN)},
                  {"max_error", four_digits(c->max_error)},
                  {"name", json_string(c->name)}};
    for (size_t k = 0; k < sizeof values / sizeof *values; k++)
        bad |= !row || json_object_set_new(row, values[k].key, values[k].value);
    if (!isnan(c->kv_bytes_formula) && row) {
        bad |= json_object_set_new(row, "kv_bytes_formula", json_integer((json_int_t)c->kv_bytes_formula));
        bad |= json_object_set_new(row, "kv_bytes_live", json_integer((json_int_t)c->kv_bytes_live));
    }
    if (bad) {
        json_decref(row);
        row = NULL;
    }
    table_add(&t->t, row);
}

void table_speed(report_table *t, const report_data *data) {
    report_table_init(t, "Speed of every case");
    shape_columns(t, data);
    report_column(t, "runs", "runs");
    report_column(t, "disturbed", "disturbed");
    report_column(t, "time_us", "time, µs (median)");
    report_column(t, "low_us", "low");
    report_column(t, "high_us", "high");
    report_column(t, "bars", "low to high");
    report_column(t, "frame_us", "µs a frame");
    report_column(t, "gflops", "GFLOP/s");
    report_column(t, "gbytes", "GB/s");
    report_column(t, "of_sgemm_percent", "%% of sgemm");
    report_column(t, "of_roof_percent", "%% of roof");
    report_column(t, "kv_bytes_formula", "cache bytes by formula");
    report_column(t, "kv_bytes_live", "cache bytes allocated");
    for (size_t i = 0; i < data->count; i++)
        if (is_row(&data->cases[i]))
            add_speed_row(t, &data->cases[i]);
}

void table_machine(report_table *t, const report_data *data) {
    report_table_init(t, "Limits of this machine, measured");
    report_column(t, "what", "limit");
    report_column(t, "isa", "instruction set");
    report_column(t, "size", "size");
    report_column(t, "gflops", "GFLOP/s");
    report_column(t, "gbytes", "GB/s");
    report_column(t, "runs", "runs");
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (is_row(m))
            continue;
        size_t size = m->c->working_set ? m->c->working_set : m->c->n;
        table_add(&t->t, json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:s}", "what", m->c->what, "isa",
                                   *m->c->isa ? json_string(m->c->isa) : json_null(), "size",
                                   size ? json_integer((json_int_t)size) : json_null(), "gflops",
                                   four_digits(m->gflops), "gbytes", four_digits(m->gbytes), "runs",
                                   (json_int_t)m->runs, "name", m->c->name));
    }
    snprintf(t->note, sizeof t->note,
             "Size is the working set in bytes (read) or the side of the matrices (sgemm). The best of each "
             "kind is "
             "the roof.");
}
