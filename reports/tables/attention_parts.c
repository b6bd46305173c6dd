/* Where the time inside of attention goes, of layers and of the attention of whole encoders. */
#include "reports/data/case_names.h"
#include "reports/tables/measured_row.h"
#include "reports/tables/table_list.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

static double sum_of(const results_sample *s) {
    double sum = 0;
    for (size_t p = ATTN_PARTS; p < BENCH_PARTS; p++)
        sum += isnan(s->parts[p]) ? 0 : s->parts[p];
    return sum;
}

/* Each process split some iterations and kept its fastest: of these the fastest. NULL: none did. */
static const results_sample *split_sample(const results_case *c) {
    const results_sample *best = NULL;
    for (size_t i = 0; i < c->count; i++)
        if (sum_of(&c->samples[i]) > 0 && (!best || sum_of(&c->samples[i]) < sum_of(best)))
            best = &c->samples[i];
    return best;
}

static bool is_shown(const report_data *data, const measured *m) {
    (void)data;
    return split_sample(m->c) != NULL;
}

static int compare(const void *left, const void *right) {
    static const case_field order[] = {FIELD_MODEL, FIELD_MODE, FIELD_PATH, FIELD_IMPL, FIELD_KV, FIELD_POS,
                                       FIELD_B,     FIELD_D,    FIELD_H,    FIELD_L,    FIELD_Q};
    const measured *a = *(const measured *const *)left, *b = *(const measured *const *)right;
    int kind = strcmp(a->c->kind, b->c->kind);
    return kind ? kind : measured_compare(a, b, order, sizeof order / sizeof *order);
}

/* "core" of "attention/core". */
static const char *key_of(int part) {
    return strchr(bench_part_name(part), '/') + 1;
}

/* What a label does not say of a case. */
static const struct {
    const char *key;
    case_field field;
} shape[] = {{"L", FIELD_L}, {"T", FIELD_T},       {"q", FIELD_Q},
             {"d", FIELD_D}, {"path", FIELD_PATH}, {"impl", FIELD_IMPL}};

static json_t *row_of(const measured *m) {
    const results_sample *s = split_sample(m->c);
    char label[2 * CASE_NAME];
    double all = sum_of(s);
    (strcmp(m->c->kind, "encoder") ? case_short_name : case_model_name)(label, sizeof label, m->c);
    json_t *row = json_pack("{s:s, s:s, s:s, s:o}", "label", label, "name", m->c->name, "mode", m->c->mode,
                            "attention_ms", four_digits(1e3 * all));
    for (size_t i = 0; row && i < sizeof shape / sizeof *shape; i++)
        json_object_set_new(row, shape[i].key, case_value(m->c, shape[i].field));
    for (int p = ATTN_PARTS; row && p < BENCH_PARTS; p++)
        if (s->parts[p] > 0) /* what a way does not do has no share */
            json_object_set_new(row, key_of(p), four_digits(100 * s->parts[p] / all));
    return row;
}

void table_attention_parts(report_table *t, const table_sources *from) {
    size_t rows;
    report_table_init(t, "Parts of attention");
    report_column(t, "label", "case");
    report_column(t, "name", "row");
    report_column_in_files(t);
    report_column(t, "mode", "mode");
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        report_column(t, shape[i].key, "%s", shape[i].key);
    report_column(t, "attention_ms", "attention, ms");
    for (int p = ATTN_PARTS; p < BENCH_PARTS; p++)
        report_column(t, key_of(p), "%s, %%", key_of(p));
    const measured **order = measured_select(&rows, t, from->data, is_shown, compare);
    for (size_t i = 0; i < rows; i++)
        table_add(&t->t, row_of(order[i]));
    attn_free(order);
    snprintf(
        t->note, sizeof t->note,
        "Of extra iterations that read a clock at every border between parts, the fastest; of an encoder, "
        "all layers together. projections: maps of queries, keys and values, or to latents, and of the "
        "output; latent_maps: keys and values from latents, or, absorbed, maps of queries and contexts; "
        "core: scores, softmax and values in one pass, or, where products are BLAS's, three columns of "
        "their own; rest: the norm before, the sum after, and what is left. A dash: no such part.");
    t->presence = json_array_size(t->t.rows) ? TABLE_SHOWN : TABLE_NOT_GIVEN;
}
