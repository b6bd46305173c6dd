#include "reports/paper/paper_additions.h"

#include "base/text/json.h"

#include "attn/config.h"
#include "reports/paper/paper_formula.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static double total_bytes(const paper_tables *tables, const paper_row *row, const paper_shape *shape,
                          size_t frames) {
    return (double)shape->num_layers * paper_layer_bytes(tables, row, shape, frames, ATTN_ELEMENT_F32);
}

/* NaN shows as null. */
static void add(text_table *t, const char *model, const char *row, const char *quantity, const char *unit,
                double claimed, double identified, double live, const char *note) {
    table_add(t, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "model", model, "row", row, "quantity",
                           quantity, "unit", unit, "claimed_geometry", json_finite(claimed),
                           "identified_geometry", json_finite(identified), "live", json_finite(live), "note",
                           note));
}

static void add_linear_state(text_table *t, const paper_tables *tables, const paper_model *model,
                             const paper_row *row, double live) {
    add(t, model->name, "linear_state", "total", "MiB",
        total_bytes(tables, row, &row->claimed, tables->frames) / PAPER_MIB,
        total_bytes(tables, row, &row->identified, tables->frames) / PAPER_MIB, live / PAPER_MIB,
        "what linear attention really keeps: h (d_k^2 + d_k) floats a layer, at any length");
}

/* The layer's input is cached like a latent of d_model floats a frame, so that formula serves. */
static double input_bytes(const paper_tables *tables, const paper_shape *shape) {
    return paper_other_bytes(tables, "mla_simple", shape, tables->frames);
}

static double input_reduction(const paper_tables *tables, const paper_shape *shape) {
    return 100 * (1 - input_bytes(tables, shape) / paper_other_bytes(tables, "mha", shape, tables->frames));
}

static void add_input_cache(text_table *t, const paper_tables *tables, const paper_model *model) {
    const paper_shape *claimed = &model->row[0].claimed, *identified = &model->row[0].identified;
    add(t, model->name, "input_cache", "total", "MiB",
        (double)claimed->num_layers * input_bytes(tables, claimed) / PAPER_MIB,
        (double)identified->num_layers * input_bytes(tables, identified) / PAPER_MIB, NAN,
        "by formula: keep the layer's input (d_model floats a frame) and recompute K and V; the honest rival "
        "of MLA, which saves nothing over it at any d_c >= d_model");
    add(t, model->name, "input_cache", "reduction", "%", input_reduction(tables, claimed),
        input_reduction(tables, identified), NAN,
        "by formula: the 50% that the paper credits to MLA, with no new weights and no error");
}

const attn_element paper_rounded_types[] = {ATTN_ELEMENT_F16, ATTN_ELEMENT_Q8_0, ATTN_ELEMENT_F32};

void paper_rounded_name(char name[PAPER_TEXT + 8], const paper_row *row, attn_element type) {
    snprintf(name, PAPER_TEXT + 8, "%s %s", row->name, attn_kv_dtype_names[type]);
}

/* What a latent or fewer heads save, and what rounding saves, multiply. Returns whether the live bytes are not those of
 * the formula. */
static bool add_rounded(text_table *t, const paper_tables *tables, const paper_model *model,
                        const paper_row *row, attn_element type, size_t live) {
    char name[PAPER_TEXT + 8], note[120];
    const paper_shape *claimed = &row->claimed, *identified = &row->identified;
    double of_claimed = paper_layer_bytes(tables, row, claimed, tables->frames, type);
    double of_identified = paper_layer_bytes(tables, row, identified, tables->frames, type);
    double mha = paper_other_bytes(tables, "mha", identified, tables->frames);
    paper_rounded_name(name, row, type);
    add(t, model->name, name, "per_layer", "MiB", of_claimed / PAPER_MIB, of_identified / PAPER_MIB,
        live ? (double)live / PAPER_MIB : NAN,
        "rows rounded when they are appended; live: one layer of the identified geometry, run alone");
    snprintf(note, sizeof note, "by formula; under the identified geometry %.4g%% less than MHA in f32",
             100 * (1 - of_identified / mha));
    add(t, model->name, name, "total", "MiB", (double)claimed->num_layers * of_claimed / PAPER_MIB,
        (double)identified->num_layers * of_identified / PAPER_MIB, NAN, note);
    return live && (double)live != of_identified;
}

static size_t add_rounded_rows(text_table *t, const paper_tables *tables, size_t m, const paper_live *live) {
    const paper_model *model = &tables->model[m];
    size_t mismatches = 0;
    for (size_t r = 0; r < model->rows; r++)
        for (const attn_element *type = paper_rounded_types;
             *type != ATTN_ELEMENT_F32 && model->row[r].variant->is_softmax; type++)
            mismatches +=
                add_rounded(t, tables, model, &model->row[r], *type, live ? live->rounded[m][r][*type] : 0);
    return mismatches;
}

static void add_subsampled(text_table *t, const paper_tables *tables, const paper_model *model,
                           const paper_row *row) {
    const attn_config conv2d = {.input_layer = ATTN_INPUT_CONV2D};
    size_t frames = attn_output_frames(&conv2d, tables->frames);
    char note[160];
    snprintf(note, sizeof note, "by formula: %zu feature frames (%.0f s) leave 4x subsampling as %zu frames",
             tables->frames, (double)tables->frames * tables->frame_seconds, frames);
    add(t, model->name, row->name, "total_subsampled", "MiB",
        total_bytes(tables, row, &row->claimed, frames) / PAPER_MIB,
        total_bytes(tables, row, &row->identified, frames) / PAPER_MIB, NAN, note);
}

static size_t add_model(text_table *t, const paper_tables *tables, size_t m, const paper_live *live) {
    const paper_model *model = &tables->model[m];
    size_t mismatches;
    for (size_t r = 0; r < model->rows; r++)
        if (!model->row[r].variant->is_softmax)
            add_linear_state(t, tables, model, &model->row[r], live ? (double)live->total[m][r] : NAN);
    add_input_cache(t, tables, model);
    mismatches = add_rounded_rows(t, tables, m, live);
    for (size_t r = 0; r < model->rows; r++)
        add_subsampled(t, tables, model, &model->row[r]);
    for (size_t r = 0; r < model->rows; r++) {
        const paper_row *row = &model->row[r];
        add(t, model->name, row->name, "total", "MB",
            total_bytes(tables, row, &row->claimed, tables->frames) / PAPER_MB,
            total_bytes(tables, row, &row->identified, tables->frames) / PAPER_MB,
            live ? (double)live->total[m][r] / PAPER_MB : NAN,
            "the same bytes in MB (10^6); the paper prints MiB (2^20) under the name MB");
    }
    return mismatches;
}

static void add_remarks(text_table *t, const paper_tables *tables) {
    double seconds = (double)tables->frames * tables->frame_seconds;
    char note[200];
    snprintf(note, sizeof note,
             "%zu feature frames are %.0f s of audio; %zu frames after 4x subsampling are %.0f s",
             tables->frames, seconds, tables->frames, 4 * seconds);
    add(t, "both", "audio", "remark", "", NAN, NAN, NAN, note);
    add(t, "both", "offline", "remark", "", NAN, NAN, NAN,
        "an offline bidirectional encoder sees each utterance once and reuses no cache at all: these bytes "
        "matter in streaming");
}

static const table_column addition_columns[] = {{"model", "model", NULL},
                                                {"row", "row", NULL},
                                                {"quantity", "quantity", NULL},
                                                {"unit", "unit", NULL},
                                                {"claimed_geometry", "claimed geometry", NULL},
                                                {"identified_geometry", "identified geometry", NULL},
                                                {"live", "live", NULL},
                                                {"note", "note", NULL},
                                                {NULL, NULL, NULL}};

size_t paper_additions_fill(text_table *additions, const paper_tables *tables, const paper_live *live) {
    size_t mismatches = 0;
    table_init(additions, "What the paper's tables leave out", addition_columns);
    for (size_t m = 0; m < tables->models; m++)
        mismatches += add_model(additions, tables, m, live);
    add_remarks(additions, tables);
    return mismatches;
}
