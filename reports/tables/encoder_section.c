#include "reports/tables/encoder_section.h"

#include "base/text/append.h"
#include "reports/data/case_names.h"
#include "reports/tables/measured_row.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

static bool is_encoder(const measured *m, const char *mode) {
    return !strcmp(m->c->kind, "encoder") && (!mode || !strcmp(m->c->mode, mode));
}

double encoder_share(const results_case *c, attn_part part) {
    double own = 0, all = 0;
    for (size_t i = 0; i < c->count; i++)
        for (size_t p = 0; p < ATTN_PARTS; p++) {
            all += c->samples[i].parts[p];
            own += p == part ? c->samples[i].parts[p] : 0;
        }
    return all > 0 ? 100 * own / all : NAN;
}

static size_t model_rank(const char *model) {
    size_t rank = 0;
    while (attn_model_type_names[rank] && strcmp(attn_model_type_names[rank], model))
        rank++;
    return rank;
}

int encoder_compare(const void *left, const void *right) {
    static const case_field order[] = {FIELD_MODE, FIELD_LAYERS, FIELD_D, FIELD_H,    FIELD_HKV, FIELD_DC,
                                       FIELD_K,    FIELD_T,      FIELD_Q, FIELD_LEFT, FIELD_IMPL};
    const measured *a = *(const measured *const *)left, *b = *(const measured *const *)right;
    if (model_rank(a->c->model) != model_rank(b->c->model))
        return model_rank(a->c->model) < model_rank(b->c->model) ? -1 : 1;
    return measured_compare(a, b, order, sizeof order / sizeof *order);
}

/* ---- Table */

static json_t *encoder_row(const measured *m, const case_column *columns, size_t count) {
    const results_case *c = m->c;
    char label[2 * CASE_NAME];
    case_model_name(label, sizeof label, c);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s}", "label", label, "model", c->model, "type", c->type,
                            "mode", c->mode);
    const struct {
        const char *key;
        json_t *value;
    } values[] = {{"audio_seconds", four_digits(c->audio_seconds)},
                  {"rtf", four_digits(m->time / 1e9 / c->audio_seconds)},
                  {"kv_bytes_formula", exact_count(c->kv_bytes_formula)},
                  {"kv_bytes_live", exact_count(c->kv_bytes_live)},
                  {"conv_bytes_formula", exact_count(c->conv_bytes_formula)},
                  {"conv_bytes_live", exact_count(c->conv_bytes_live)},
                  {"parameters", exact_count(c->parameters)}};
    int bad = !row;
    for (size_t i = 0; i < count; i++)
        bad |= json_object_set_new(row, columns[i].key, case_value(c, columns[i].field));
    bad |= measured_row_add(row, m);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        bad |= json_object_set_new(row, values[i].key, values[i].value);
    for (size_t p = 0; p < ATTN_PARTS; p++)
        bad |= json_object_set_new(row, attn_part_names[p], four_digits(encoder_share(c, (attn_part)p)));
    if (!bad)
        return row;
    json_decref(row);
    return NULL;
}

/* What all rows have there that have anything; NULL when they differ or none has. */
static const json_t *shared_value(const report_table *t, const char *key) {
    const json_t *shared = NULL;
    size_t i;
    json_t *row;
    json_array_foreach(t->t.rows, i, row) {
        const json_t *value = json_object_get(row, key);
        if (!json_is_null(value) && shared && !json_equal(value, shared))
            return NULL;
        shared = json_is_null(value) ? shared : value;
    }
    return shared;
}

/* What all rows share is said once, in the note. */
static void add_shape_column(report_table *t, const char *key, bool is_in_label) {
    const json_t *value = shared_value(t, key);
    const char *comma = *t->note ? ", " : "Everywhere, as far as it applies: ";
    report_column(t, key, "%s", key);
    if (value || is_in_label)
        report_column_in_files(t);
    if (!value)
        return;
    if (json_is_string(value))
        text_append(t->note, sizeof t->note, "%s%s %s", comma, key, json_string_value(value));
    else
        text_append(t->note, sizeof t->note, "%s%s %.0f", comma, key, json_number_value(value));
}

static void add_shape_columns(report_table *t, const case_column *columns, size_t count) {
    static const char *const words[] = {"model", "type", "mode"};
    report_column(t, "label", "model");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        add_shape_column(t, words[i], strcmp(words[i], "mode"));
    for (size_t i = 0; i < count; i++)
        add_shape_column(t, columns[i].key, columns[i].field & (FIELD_DC | FIELD_HKV | FIELD_KV));
    if (*t->note)
        text_append(t->note, sizeof t->note, ". ");
}

static void add_value_columns(report_table *t) {
    static const report_column_row values[] = {{"runs", "runs", REPORT_IN_FILES},
                                               {"processes", "processes", REPORT_IN_FILES},
                                               {"disturbed", "disturbed", REPORT_IN_FILES},
                                               {"time_ms", "time, ms", 0},
                                               {"range_ms", "low to high", REPORT_IN_FILES},
                                               {"low_ms", "low", REPORT_IN_FILES},
                                               {"high_ms", "high", REPORT_IN_FILES},
                                               {"wall_ms", "wall clock, ms", REPORT_IN_FILES},
                                               {"lost_percent", "% lost", REPORT_IN_FILES},
                                               {"rtf", "real-time factor", 0},
                                               {"gflops", "GFLOP/s", REPORT_IN_FILES},
                                               {"of_roof_percent", "% of roof", 0},
                                               {"of_sgemm_percent", "% of sgemm", 0},
                                               {NULL, NULL, 0}};
    static const report_column_row caches[] = {
        {"kv_bytes_formula", "KV cache by formula, MiB", REPORT_IN_FILES | REPORT_MIB},
        {"kv_bytes_live", "KV cache, MiB", REPORT_MIB},
        {"conv_bytes_live", "convolution cache, MiB", REPORT_MIB},
        {NULL, NULL, 0}};
    report_columns(t, values);
    for (size_t p = 0; p < ATTN_PARTS; p++) {
        report_column(t, attn_part_names[p], "%s, %%", attn_part_names[p]);
        if (p != ATTN_PART_ATTENTION)
            report_column_in_files(t);
    }
    report_columns(t, caches);
}

static bool is_shown(const report_data *data, const measured *m) {
    (void)data;
    return is_encoder(m, NULL);
}

static void add_rows(report_table *t, const report_data *data, const case_column *columns, size_t count) {
    size_t rows;
    const measured **order = measured_select(&rows, t, data, is_shown, encoder_compare);
    for (size_t i = 0; i < rows; i++)
        table_add(&t->t, encoder_row(order[i], columns, count));
    attn_free(order);
}

void table_encoders(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Whole models in detail");
    case_column columns[BENCH_FIELDS];
    size_t count = case_columns(columns, data, "encoder");
    add_rows(t, data, columns, count);
    add_shape_columns(t, columns, count);
    add_value_columns(t);
    text_append(
        t->note, sizeof t->note,
        "prefill: T input frames in one call. chunk, decode: one call of q frames behind `left` chunks of "
        "cache, in the middle of a stream. Time is the median of CPU time; the real-time factor is "
        "that / length of audio. Cache sizes are those allocated. An utterance in one call reuses none "
        "of its cache. Further columns, here on request and in the csv and json files: intervals (95%%, of "
        "the median, over processes; of one: over its runs from 6 on, else least to most), wall clock, runs, "
        "processes, disturbed samples, GFLOP/s, the share of every part, cache bytes by formula.");
}

/* ---- Findings */

static void say(json_t *list, json_t *sentence) {
    json_array_append_new(list, sentence);
}

static void say_utterance(json_t *list, const measured *m) {
    const results_case *c = m->c;
    char sgemm[64] = "", unsaid[80] = "";
    unsaid_append(unsaid, sizeof unsaid, c, case_fields_unsaid());
    if (!isnan(m->sgemm))
        snprintf(sgemm, sizeof sgemm, ", %.3g%% of the measured sgemm rate", 100 * m->sgemm);
    say(list, json_sprintf("A whole %s of %zu layers (%s, d_model %zu, pos %s%s) takes %.3g ms for %.3g s of "
                           "audio: real-time "
                           "factor %.3g, %.3g GFLOP/s%s; %.3g%% of the time is attention.",
                           c->model, c->layers, c->type, c->d, c->pos, unsaid, m->time / 1e6,
                           c->audio_seconds, m->time / 1e9 / c->audio_seconds, m->gflops, sgemm,
                           encoder_share(c, ATTN_PART_ATTENTION)));
}

static void say_chunk(json_t *list, const measured *m) {
    const results_case *c = m->c;
    char unsaid[80] = "";
    unsaid_append(unsaid, sizeof unsaid, c, case_fields_unsaid());
    say(list,
        json_sprintf("A chunk of %zu frames (%.3g s of audio) behind %zu chunks of cache takes a %s of %zu "
                     "layers (%s, d_model %zu, pos %s%s) %.3g ms.",
                     c->q, c->audio_seconds, c->left, c->model, c->layers, c->type, c->d, c->pos, unsaid,
                     m->time / 1e6));
}

/* The longest utterance, and the chunk with most before it; MHA of a Conformer when there is one. */
static const measured *longest(const report_data *data, const char *mode) {
    const measured *best = NULL;
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (is_encoder(m, mode) && (!best || m->c->flops > best->c->flops))
            best = m;
    }
    for (size_t i = 0; best && i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (is_encoder(m, mode) && !strcmp(m->c->type, "mha") && !strcmp(m->c->model, "conformer") &&
            case_same(m->c, best->c, FIELD_T | FIELD_LEFT | FIELD_Q | FIELD_LAYERS | FIELD_D))
            return m;
    }
    return best;
}

void say_encoders(json_t *list, const report_data *data) {
    const measured *utterance = longest(data, "prefill"), *chunk = longest(data, "chunk");
    if (utterance)
        say_utterance(list, utterance);
    if (chunk)
        say_chunk(list, chunk);
}
