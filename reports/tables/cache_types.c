/* Types of cache next to each other: what rounding keys, values and latents saves in bytes and in time. */
#include "reports/data/case_names.h"
#include "reports/tables/measured_row.h"
#include "reports/tables/table_list.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

static bool is_f32(const measured *m) {
    return !strcmp(m->c->kv, attn_kv_dtype_names[ATTN_ELEMENT_F32]);
}

static bool is_decode(const measured *m) {
    return !strcmp(m->c->kind, "attention") && !strcmp(m->c->mode, "decode") && *m->c->kv;
}

/* The same case in f32; NULL where it was not measured. */
static const measured *in_f32(const report_data *data, const measured *m) {
    for (size_t i = 0; i < data->count; i++)
        if (is_decode(&data->cases[i]) && is_f32(&data->cases[i]) &&
            case_same(data->cases[i].c, m->c, FIELDS_ALL & ~(case_fields)FIELD_KV))
            return &data->cases[i];
    return NULL;
}

/* MHA in f32 where all but the way of compressing is the same. */
static const measured *of_mha(const report_data *data, const measured *m) {
    case_fields own = FIELD_TYPE | FIELD_KV | FIELD_DC | FIELD_HKV | FIELD_PATH | FIELD_ASKED;
    for (size_t i = 0; i < data->count; i++)
        if (is_decode(&data->cases[i]) && is_f32(&data->cases[i]) && !strcmp(data->cases[i].c->type, "mha") &&
            case_same(data->cases[i].c, m->c, FIELDS_ALL & ~own))
            return &data->cases[i];
    return NULL;
}

static bool is_compared(const report_data *data, const measured *m) {
    if (!is_decode(m))
        return false;
    if (!is_f32(m))
        return in_f32(data, m) != NULL;
    for (size_t i = 0; i < data->count; i++)
        if (is_decode(&data->cases[i]) && !is_f32(&data->cases[i]) && in_f32(data, &data->cases[i]) == m)
            return true;
    return false;
}

static double percent(double part, const measured *whole, double of_whole) {
    return whole ? 100 * part / of_whole : NAN;
}

static void add_row(report_table *t, const report_data *data, const measured *m) {
    const results_case *c = m->c;
    const measured *same = in_f32(data, m), *mha = of_mha(data, m);
    char label[CASE_NAME];
    case_short_name(label, sizeof label, c);
    json_t *row = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type", c->type, "kv",
                            c->kv, "kv_bytes_formula", exact_count(c->kv_bytes_formula), "kv_bytes_live",
                            exact_count(c->kv_bytes_live), "bytes_of_f32_percent",
                            four_digits(percent(c->kv_bytes_live, same, same->c->kv_bytes_live)),
                            "bytes_of_mha_percent",
                            four_digits(percent(c->kv_bytes_live, mha, mha ? mha->c->kv_bytes_live : NAN)),
                            "time_of_f32_percent", four_digits(percent(m->time, same, same->time)),
                            "time_of_mha_percent", four_digits(percent(m->time, mha, mha ? mha->time : NAN)),
                            "best_ms", four_digits(m->best / 1e6), "pos", case_value(c, FIELD_POS));
    static const struct {
        const char *key;
        case_field field;
    } sizes[] = {{"L", FIELD_L}, {"h", FIELD_H},   {"hkv", FIELD_HKV},
                 {"d", FIELD_D}, {"dc", FIELD_DC}, {"B", FIELD_B}};
    int bad = !row || measured_row_add(row, m) || json_object_set_new(row, "label", json_string(label));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        bad |= json_object_set_new(row, sizes[i].key, case_value(c, sizes[i].field));
    if (bad) {
        json_decref(row);
        row = NULL;
    }
    table_add(&t->t, row);
}

static size_t type_rank(const measured *m) {
    size_t rank = 0;
    while (attn_kv_dtype_names[rank] && strcmp(attn_kv_dtype_names[rank], m->c->kv))
        rank++;
    return rank;
}

/* By all that a name has but the type of cache, and then by that. */
static int by_shape(const void *left, const void *right) {
    static const case_field order[] = {
        FIELD_L,    FIELD_TYPE, FIELD_POS,   FIELD_B,    FIELD_D, FIELD_H,    FIELD_HKV,   FIELD_DC,
        FIELD_MODE, FIELD_PATH, FIELD_ASKED, FIELD_IMPL, FIELD_Q, FIELD_PART, FIELD_CACHE, FIELD_THREADS};
    const measured *a = *(const measured *const *)left, *b = *(const measured *const *)right;
    if (type_rank(a) != type_rank(b) && case_same(a->c, b->c, FIELDS_ALL & ~(case_fields)FIELD_KV))
        return type_rank(a) < type_rank(b) ? -1 : 1;
    return measured_compare(a, b, order, sizeof order / sizeof *order);
}

static const report_column_row columns[] = {
    {"label", "type and cache", 0},
    {"type", "type", REPORT_IN_FILES},
    {"dc", "dc", REPORT_IN_FILES},
    {"hkv", "hkv", REPORT_IN_FILES},
    {"h", "h", REPORT_IN_FILES},
    {"d", "d", REPORT_IN_FILES},
    {"B", "B", REPORT_IN_FILES},
    {"pos", "pos", REPORT_IN_FILES},
    {"L", "L", 0},
    {"kv", "cache in", REPORT_IN_FILES},
    {"kv_bytes_formula", "cache by formula, MiB", REPORT_IN_FILES | REPORT_MIB},
    {"kv_bytes_live", "cache, MiB", REPORT_MIB},
    {"bytes_of_f32_percent", "% of its f32 bytes", 0},
    {"bytes_of_mha_percent", "% of MHA's f32 bytes", 0},
    {"best_ms", "least time, ms", REPORT_IN_FILES},
    {"time_ms", "median time, ms", 0},
    {"range_ms", "low to high", 0},
    {"time_of_f32_percent", "% of its f32 time", 0},
    {"time_of_mha_percent", "% of MHA's f32 time", 0},
    {NULL, NULL, 0}};

void table_cache_types(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Types of cache");
    report_columns(t, columns);
    snprintf(
        t->note, sizeof t->note,
        "One layer, one new frame a call, all of it: projections stay in f32. Rows of keys, values and "
        "latents are rounded once, when they are appended. A name without a type of cache means f32. Cache "
        "sizes are allocated ones. Times and shares of time are medians of CPU "
        "time, low to high as in the table of speed. A smaller type and a smaller "
        "cache multiply: both are in %% of MHA's.");
    size_t rows;
    const measured **order = measured_select(&rows, t, data, is_compared, by_shape);
    for (size_t i = 0; i < rows; i++)
        add_row(t, data, order[i]);
    attn_free(order);
}
