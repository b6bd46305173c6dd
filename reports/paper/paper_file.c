#include "reports/paper/paper_file.h"

#include "base/text/json.h"
#include "reports/paper/paper_additions.h"
#include "reports/paper/paper_formula.h"

#include <math.h>

static const size_t FILE_LIMIT = (size_t)4 << 20;

static const json_t *find_cell(const json_t *cells, const char *model, const char *row,
                               const char *quantity) {
    size_t i;
    json_t *cell;
    json_array_foreach(cells, i, cell) {
        if (json_text_is(cell, "model", model) && json_text_is(cell, "row", row) &&
            json_text_is(cell, "quantity", quantity))
            return cell;
    }
    return NULL;
}

static int read_cell(size_t *bytes, const json_t *cells, const paper_model *model, const paper_row *row,
                     paper_quantity quantity, const char *path, attn_error *error) {
    const char *name = paper_quantity_names[quantity];
    const json_t *cell = find_cell(cells, model->name, row->name, name);
    const json_t *published = json_object_get(cell, "published"), *live = json_object_get(cell, "live");
    if (!cell || !json_is_number(published) ||
        !paper_rounds_to(json_number_value(published), row->published[quantity]))
        return attn_fail(error, "%s: cell %s %s %s: expected one that was published as %s", path, model->name,
                         row->name, name, row->published[quantity]);
    double value = json_number_value(live) * PAPER_MIB;
    if (!json_is_number(live) || !(value >= 1 && value < 0x1p53))
        return attn_fail(error,
                         "%s: cell %s %s %s: live: expected MiB, as paper --live --format json writes them",
                         path, model->name, row->name, name);
    *bytes = (size_t)llround(value);
    return 0;
}

static int read_cells(paper_live *live, const paper_tables *tables, const json_t *cells, const char *path,
                      attn_error *error) {
    for (size_t m = 0; m < tables->models; m++)
        for (size_t r = 0; r < tables->model[m].rows; r++) {
            const paper_model *model = &tables->model[m];
            const paper_row *row = &model->row[r];
            if (*row->published[PAPER_TOTAL] &&
                read_cell(&live->total[m][r], cells, model, row, PAPER_TOTAL, path, error))
                return -1;
            if (*row->published[PAPER_PER_LAYER] &&
                read_cell(&live->layer[m][r], cells, model, row, PAPER_PER_LAYER, path, error))
                return -1;
        }
    return 0;
}

/* A file from before there were such rows has none. */
static void read_rounded(paper_live *live, const paper_tables *tables, const json_t *additions) {
    for (size_t m = 0; m < tables->models; m++)
        for (size_t r = 0; r < tables->model[m].rows; r++)
            for (const attn_element *type = paper_rounded_types; *type != ATTN_ELEMENT_F32; type++) {
                char name[PAPER_TEXT + 8];
                paper_rounded_name(name, &tables->model[m].row[r], *type);
                const json_t *cell = find_cell(additions, tables->model[m].name, name, "per_layer");
                double value = json_number_value(json_object_get(cell, "live")) * PAPER_MIB;
                if (value >= 1 && value < 0x1p53)
                    live->rounded[m][r][*type] = (size_t)llround(value);
            }
}

int paper_live_read(paper_live *live, const paper_tables *tables, const char *path, attn_error *error) {
    *live = (paper_live){0};
    json_t *root = json_read_file(path, FILE_LIMIT, error);
    int result = root ? read_cells(live, tables, json_object_get(root, "cells"), path, error) : -1;
    if (!result)
        read_rounded(live, tables, json_object_get(root, "additions"));
    json_decref(root);
    return result;
}
