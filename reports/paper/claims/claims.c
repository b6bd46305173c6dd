#include "reports/paper/claims/claims.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "base/text/utf8.h"

#include "attn/alloc.h"
#include "reports/paper/claims/claim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {"reproduced", "undecided", "refuted", "not measured yet",
                                          "not testable here"};

static const struct {
    const char *id, *where, *words, *shows, *command;
    claim_judge *judge;
} claims[] = {
#define CLAIM(id, where, words, shows, command, judge) {#id, where, words, shows, command, claim_##judge},
#include "reports/paper/claims/ledger.inc"
#undef CLAIM
};

static const table_column claims_columns[] = {{"words", "Claim", NULL},
                                              {"where", "Where it stands", NULL},
                                              {"shows", "What would show it", NULL},
                                              {"verdict", "Verdict", NULL},
                                              {"measured", "Found", NULL},
                                              {"size", "Size of model and corpus", NULL},
                                              {"command", "Command", NULL},
                                              {NULL, NULL, NULL}};

void claim_add(claim_verdict *v, claim_state state, const char *format, ...) {
    va_list arguments;
    if (v->state == CLAIM_NOT_MEASURED || state > v->state)
        v->state = state;
    if (*v->measured)
        text_append(v->measured, sizeof v->measured, "; ");
    va_start(arguments, format);
    text_vappend(v->measured, sizeof v->measured, format, arguments);
    va_end(arguments);
}

void claim_size(claim_verdict *v, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(v->size, sizeof v->size, format, arguments);
    va_end(arguments);
}

static void add_row(text_table *t, const char *id, const char *where, const char *words, const char *shows,
                    const char *command, const claim_verdict *v) {
    table_add(t, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "claim", id, "words", words, "where",
                           where, "shows", shows, "verdict", state_names[v->state], "measured",
                           utf8_json(v->measured), "size", utf8_json(v->size), "command", command));
}

/* ---- Cells of the tables of cache bytes, from the audit ---- */

static const paper_model *model_named(const paper_tables *tables, const char *name) {
    const paper_model *model = tables->model;
    while (strcmp(model->name, name))
        model++;
    return model;
}

static const paper_row *row_named(const paper_model *model, const char *name) {
    const paper_row *row = model->row;
    while (strcmp(row->name, name))
        row++;
    return row;
}

static int quantity_named(const char *name) {
    int q = 0;
    while (strcmp(paper_quantity_names[q], name))
        q++;
    return q;
}

/* The claim is the cell at the geometry that the paper names. */
static int add_cell(text_table *t, const paper_tables *tables, const json_t *cell, attn_error *error) {
    static const char *const words[PAPER_QUANTITIES] = {"total cache", "cache per layer", "reduction"};
    const paper_model *model = model_named(tables, json_text(cell, "model"));
    const paper_row *row = row_named(model, json_text(cell, "row"));
    int q = quantity_named(json_text(cell, "quantity"));
    const char *unit = json_text(cell, "unit");
    double claimed = json_number(cell, "claimed_geometry"), other = json_number(cell, "identified_geometry");
    char *shape = paper_shape_text(&row->claimed, error), *found = paper_shape_text(&row->identified, error);
    claim_verdict v = {.state = CLAIM_NOT_MEASURED};
    char id[160] = "", text[160] = "";
    int result = shape && found ? 0 : -1;
    if (!result) {
        text_append(id, sizeof id, "cell/%s/%s/%s", model->name, row->name, paper_quantity_names[q]);
        text_append(text, sizeof text, "%s, %s: %s %s %s", model->name, row->label, words[q],
                    row->published[q], q == PAPER_REDUCTION ? "%" : "MB");
        claim_add(&v, claim_holds(paper_rounds_to(claimed, row->published[q])), "%.10g %s", claimed, unit);
        if (v.state == CLAIM_REFUTED && paper_rounds_to(other, row->published[q]))
            text_append(v.measured, sizeof v.measured, "; the published value is that of %s", found);
        claim_size(&v, "%s, %zu frames, float32", shape, tables->frames);
        add_row(t, id, "Theoretical Cache Sizes", text, "cache bytes by formula at the geometry named there",
                "attnbench paper --claims", &v);
    }
    attn_free(shape);
    attn_free(found);
    return result;
}

static int add_cells(text_table *t, const paper_tables *tables, attn_error *error) {
    paper_audit audit;
    const json_t *cell;
    size_t i;
    int result = 0;
    if (paper_audit_run(&audit, tables, NULL, error))
        return -1;
    json_array_foreach(audit.cells.rows, i, cell) {
        if (!result)
            result = add_cell(t, tables, cell, error);
    }
    paper_audit_free(&audit);
    return result;
}

int claims_fill(text_table *t, const claims_evidence *evidence, attn_error *error) {
    claims_evidence e = *evidence;
    table_init(t, "Claims of the paper", claims_columns);
    if (add_cells(t, e.tables, error))
        return -1;
    e.passes = claims_passes_of_conformer();
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        claim_verdict v = {.state = CLAIM_NOT_MEASURED};
        claims[i].judge(&v, &e);
        add_row(t, claims[i].id, claims[i].where, claims[i].words, claims[i].shows, claims[i].command, &v);
    }
    return t->rows ? 0 : attn_no_memory(error, "claims");
}

int claims_read(json_t **read, const char *path, attn_error *error) {
    *read = json_read_file(path, (size_t)64 << 20, error);
    return *read ? 0 : -1;
}
