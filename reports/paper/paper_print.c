#include "reports/paper/paper_print.h"

#include "base/text/json_write.h"
#include "base/text/table_write.h"

#include "attn/alloc.h"
#include "attn/file.h"

enum { FORMATS = TABLE_TEX + 1 };

static int write_json(const paper_tables *tables, const paper_audit *audit, FILE *stream, attn_error *error) {
    json_t *root = json_pack("{s:O, s:O, s:o}", "cells", audit->cells.rows, "additions",
                             audit->additions.rows, "geometries", paper_geometries_json(tables));
    int result = json_print(root, JSON_INDENT(2), "tables", stream, error);
    json_decref(root);
    return result;
}

static int write_geometries(const paper_tables *tables, const char *mark, FILE *stream, attn_error *error) {
    for (size_t m = 0; m < tables->models; m++) {
        const paper_row *row = &tables->model[m].row[0];
        char *claimed = paper_shape_text(&row->claimed, error);
        char *identified = paper_shape_text(&row->identified, error);
        if (claimed && identified)
            fprintf(stream, "%s%s: claimed %s; identified %s\n", mark, tables->model[m].name, claimed,
                    identified);
        attn_free(claimed);
        attn_free(identified);
        if (!claimed || !identified)
            return -1;
    }
    fputc('\n', stream);
    return 0;
}

static int write_text(const paper_tables *tables, const paper_audit *audit, table_format format, FILE *stream,
                      attn_error *error) {
    const char *mark = format == TABLE_MD ? "* " : "% ";
    fprintf(stream, "%sThe tables of \"%s\" (%s): %s\n", mark, tables->paper, tables->document,
            tables->source);
    fprintf(stream, "%s%zu frames, batch %zu, float32; MiB is 2^20 bytes\n", mark, tables->frames,
            tables->batch);
    if (write_geometries(tables, mark, stream, error) || table_write(&audit->cells, format, stream, error))
        return -1;
    fputc('\n', stream);
    return table_write(&audit->additions, format, stream, error);
}

/* A CSV file is one table: cells first, then additions, each with what it has. */
static int write_csv(const paper_audit *audit, FILE *stream, attn_error *error) {
    static const table_column columns[] = {{"model", "", NULL},
                                           {"row", "", NULL},
                                           {"quantity", "", NULL},
                                           {"unit", "", NULL},
                                           {"published", "", NULL},
                                           {"claimed_geometry", "", NULL},
                                           {"identified_geometry", "", NULL},
                                           {"live", "", NULL},
                                           {"verdict", "", NULL},
                                           {"note", "", NULL},
                                           {NULL, NULL, NULL}};
    text_table all;
    table_init(&all, NULL, columns);
    if (all.rows && (json_array_extend(all.rows, audit->cells.rows) ||
                     json_array_extend(all.rows, audit->additions.rows)))
        table_add(&all, NULL);
    int result = table_write(&all, TABLE_CSV, stream, error);
    table_free(&all);
    return result;
}

int paper_print(const paper_tables *tables, const paper_audit *audit, table_format format, FILE *stream,
                attn_error *error) {
    if (format == TABLE_JSON)
        return write_json(tables, audit, stream, error);
    return format == TABLE_CSV ? write_csv(audit, stream, error)
                               : write_text(tables, audit, format, stream, error);
}

/* DIR/paper.md and so on: every format of one run. All are written before the first gets its name. */
int paper_write_folder(const paper_tables *tables, const paper_audit *audit, const char *folder,
                       attn_error *error) {
    attn_output outputs[FORMATS] = {{0}};
    char *paths[FORMATS] = {0};
    int result = attn_make_folder(folder, error);
    for (int i = 0; !result && i < FORMATS; i++) {
        paths[i] = attn_format(error, "%s/paper.%s", folder, table_format_names[i]);
        result = paths[i] && !attn_output_open(&outputs[i], paths[i], error)
                     ? paper_print(tables, audit, (table_format)i, outputs[i].stream, error)
                     : -1;
    }
    for (int i = 0; !result && i < FORMATS; i++)
        result = attn_output_commit(&outputs[i], error);
    for (int i = 0; i < FORMATS; i++) {
        attn_output_discard(&outputs[i]);
        attn_free(paths[i]);
    }
    return result;
}
