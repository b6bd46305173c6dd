#include "reports/paper/paper_audit.h"

#include "base/text/append.h"
#include "base/text/json.h"

#include "attn/alloc.h"
#include "reports/paper/paper_additions.h"
#include "reports/paper/paper_formula.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERDICT = 320 };

typedef struct cell {
    const paper_tables *tables;
    const paper_model *model;
    const paper_row *row;
    paper_quantity quantity;
    const char *published;            /* as printed */
    double claimed, identified, live; /* NaN: not measured */
} cell;

bool paper_rounds_to(double value, const char *published) {
    const char *point = strchr(published, '.');
    int digits = point ? (int)strlen(point + 1) : 0;
    double half = 0.5 * pow(10, -digits);
    return fabs(value - strtod(published, NULL)) <= half * (1 + 1e-9);
}

char *paper_shape_text(const paper_shape *shape, attn_error *error) {
    const attn_geometry *g = &shape->geometry;
    return attn_format(error, "%zu layers, d_model %zu, %zu heads", shape->num_layers, g->d_model,
                       g->num_heads);
}

/* Both other quantities follow from the bytes of one layer. */
static double quantity_of(paper_quantity quantity, double layer, double layers, double mha_layer) {
    switch (quantity) {
    case PAPER_PER_LAYER:
        return layer / PAPER_MIB;
    case PAPER_TOTAL:
        return layer * layers / PAPER_MIB;
    default:
        return 100 * (1 - layer / mha_layer);
    }
}

static double formula(const cell *c, const paper_shape *shape) {
    double mha_layer = paper_other_bytes(c->tables, "mha", shape, c->tables->frames);
    return quantity_of(c->quantity,
                       paper_layer_bytes(c->tables, c->row, shape, c->tables->frames, ATTN_ELEMENT_F32),
                       (double)shape->num_layers, mha_layer);
}

static double live_value(const cell *c, const paper_live *live) {
    if (!live)
        return NAN;
    size_t m = (size_t)(c->model - c->tables->model), r = (size_t)(c->row - c->model->row);
    switch (c->quantity) {
    case PAPER_PER_LAYER:
        return (double)live->layer[m][r] / PAPER_MIB;
    case PAPER_TOTAL:
        return (double)live->total[m][r] / PAPER_MIB;
    default: /* against the MHA row of the same model */
        for (size_t i = 0; i < c->model->rows; i++)
            if (!strcmp(c->model->row[i].variant->name, "mha"))
                return 100 * (1 - (double)live->total[m][r] / (double)live->total[m][i]);
        return NAN;
    }
}

static const char *unit_of(paper_quantity quantity) {
    return quantity == PAPER_REDUCTION ? "%" : "MiB";
}

/* Known ways to a wrong number, tried in turn. */
static void explain_mismatch(char verdict[VERDICT], const cell *c) {
    double layers = (double)c->row->claimed.num_layers;
    const char *total = c->row->published[PAPER_TOTAL];
    double d_model = (double)c->row->identified.geometry.d_model;
    double two_matrices =
        2 * d_model * d_model * (double)(c->tables->element * c->row->identified.num_layers) / PAPER_MIB;
    if (c->quantity == PAPER_PER_LAYER && *total &&
        paper_rounds_to(strtod(total, NULL) / layers, c->published))
        snprintf(verdict, VERDICT,
                 "does not reproduce: is the total / %.0f, but the geometry behind the total has %zu layers "
                 "of %.10g MiB",
                 layers, c->row->identified.num_layers, c->identified);
    else if (c->quantity == PAPER_TOTAL && paper_rounds_to(two_matrices, c->published))
        snprintf(verdict, VERDICT,
                 "does not reproduce: is 2 d_model^2 floats a layer of the identified geometry; the state "
                 "really takes %.10g MiB",
                 c->identified);
    else
        snprintf(verdict, VERDICT, "does not reproduce under either geometry");
}

static void judge(char verdict[VERDICT], const cell *c) {
    bool claimed = paper_rounds_to(c->claimed, c->published);
    bool identified = paper_rounds_to(c->identified, c->published);
    if (claimed && identified)
        snprintf(verdict, VERDICT, "reproduces exactly under both geometries");
    else if (identified)
        snprintf(verdict, VERDICT,
                 "reproduces exactly under the identified geometry; not under the claimed one");
    else if (claimed)
        snprintf(verdict, VERDICT, "reproduces exactly under the claimed geometry only");
    else
        explain_mismatch(verdict, c);
    if (!isnan(c->live) && c->live != c->identified)
        text_append(verdict, VERDICT, "; LIVE BYTES DIFFER FROM THE FORMULA");
}

static void add_cell(paper_audit *audit, cell *c, const paper_live *live) {
    c->published = c->row->published[c->quantity];
    c->claimed = formula(c, &c->row->claimed);
    c->identified = formula(c, &c->row->identified);
    c->live = live_value(c, live);
    char verdict[VERDICT];
    judge(verdict, c);
    audit->live_mismatches += !isnan(c->live) && c->live != c->identified;
    table_add(&audit->cells,
              json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:o, s:s}", "model", c->model->name, "row",
                        c->row->name, "quantity", paper_quantity_names[c->quantity], "unit",
                        unit_of(c->quantity), "published", strtod(c->published, NULL), "claimed_geometry",
                        c->claimed, "identified_geometry", c->identified, "live", json_finite(c->live),
                        "verdict", verdict));
}

static const table_column cell_columns[] = {{"model", "model", NULL},
                                            {"row", "row", NULL},
                                            {"quantity", "cell", NULL},
                                            {"unit", "unit", NULL},
                                            {"published", "published", NULL},
                                            {"claimed_geometry", "claimed geometry", NULL},
                                            {"identified_geometry", "identified geometry", NULL},
                                            {"live", "live", NULL},
                                            {"verdict", "verdict", NULL},
                                            {NULL, NULL, NULL}};

int paper_audit_run(paper_audit *audit, const paper_tables *tables, const paper_live *live,
                    attn_error *error) {
    *audit = (paper_audit){0};
    table_init(&audit->cells, "Published KV-cache cells", cell_columns);
    for (size_t m = 0; m < tables->models; m++)
        for (size_t r = 0; r < tables->model[m].rows; r++)
            for (int q = 0; q < PAPER_QUANTITIES; q++) {
                cell c = {.tables = tables,
                          .model = &tables->model[m],
                          .row = &tables->model[m].row[r],
                          .quantity = (paper_quantity)q};
                if (*c.row->published[q])
                    add_cell(audit, &c, live);
            }
    audit->live_mismatches += paper_additions_fill(&audit->additions, tables, live);
    if (audit->cells.rows && audit->additions.rows)
        return 0;
    paper_audit_free(audit);
    return attn_no_memory(error, "paper");
}

void paper_audit_free(paper_audit *audit) {
    table_free(&audit->cells);
    table_free(&audit->additions);
    *audit = (paper_audit){0};
}

static json_t *shape_json(const paper_shape *shape) {
    const attn_geometry *g = &shape->geometry;
    json_t *o = json_pack("{s:I, s:I, s:I}", "num_layers", (json_int_t)shape->num_layers, "d_model",
                          (json_int_t)g->d_model, "num_heads", (json_int_t)g->num_heads);
    if (g->num_kv_heads)
        json_object_set_new(o, "num_kv_heads", json_integer((json_int_t)g->num_kv_heads));
    if (g->latent_dim)
        json_object_set_new(o, "latent_dim", json_integer((json_int_t)g->latent_dim));
    return o;
}

json_t *paper_geometries_json(const paper_tables *tables) {
    json_t *rows = json_array();
    for (size_t m = 0; rows && m < tables->models; m++)
        for (size_t r = 0; r < tables->model[m].rows; r++) {
            const paper_row *row = &tables->model[m].row[r];
            json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:o, s:o}", "model", tables->model[m].name,
                                                  "row", row->name, "attention_type", row->variant->name,
                                                  "claimed", shape_json(&row->claimed), "identified",
                                                  shape_json(&row->identified)));
        }
    return json_pack("{s:I, s:I, s:I, s:o}", "frames", (json_int_t)tables->frames, "batch",
                     (json_int_t)tables->batch, "bytes_per_element", (json_int_t)tables->element, "rows",
                     rows);
}
