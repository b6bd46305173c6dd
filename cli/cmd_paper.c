/* attnbench paper: the published KV-cache tables, audited. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "base/home.h"
#include "cli/command.h"
#include "reports/paper/paper_live.h"

#include <stdio.h>

enum { FORMATS = TABLE_TEX + 1 };

static int write_json(const paper_tables *tables, const paper_audit *audit, FILE *stream, attn_error *error) {
    json_t *root = json_pack("{s:O, s:O, s:o}", "cells", audit->cells.rows, "additions",
                             audit->additions.rows, "geometries", paper_geometries_json(tables));
    int bad = !root || json_dumpf(root, stream, JSON_INDENT(2)) || fputc('\n', stream) == EOF;
    json_decref(root);
    return bad ? attn_fail(error, "the tables cannot be written") : 0;
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
    table all;
    table_init(&all, NULL, columns);
    if (all.rows && (json_array_extend(all.rows, audit->cells.rows) ||
                     json_array_extend(all.rows, audit->additions.rows)))
        table_add(&all, NULL);
    int result = table_write(&all, TABLE_CSV, stream, error);
    table_free(&all);
    return result;
}

static int write_audit(const paper_tables *tables, const paper_audit *audit, table_format format,
                       FILE *stream, attn_error *error) {
    if (format == TABLE_JSON)
        return write_json(tables, audit, stream, error);
    return format == TABLE_CSV ? write_csv(audit, stream, error)
                               : write_text(tables, audit, format, stream, error);
}

/* DIR/paper.md and so on: every format of one run. All are written before the first gets its name. */
static int write_folder(const paper_tables *tables, const paper_audit *audit, const char *folder,
                        attn_error *error) {
    attn_output outputs[FORMATS] = {{0}};
    char *paths[FORMATS] = {0};
    int result = attn_make_folder(folder, error);
    for (int i = 0; !result && i < FORMATS; i++) {
        paths[i] = attn_format(error, "%s/paper.%s", folder, table_format_names[i]);
        result = paths[i] && !attn_output_open(&outputs[i], paths[i], error)
                     ? write_audit(tables, audit, (table_format)i, outputs[i].stream, error)
                     : -1;
    }
    for (int i = 0; !result && i < FORMATS; i++)
        result = attn_output_commit(&outputs[i], error);
    for (int i = 0; i < FORMATS; i++) {
        if (!result)
            puts(paths[i]);
        attn_output_discard(&outputs[i]);
        attn_free(paths[i]);
    }
    return result;
}

static int audit_all(paper_tables *tables, paper_audit *audit, int with_live, attn_error *error) {
    char *path = home_path("reports/paper/published.json", error);
    paper_live live;
    int result = -1;
    if (path && !paper_read(tables, path, error) && (!with_live || !paper_live_run(&live, tables, error)))
        result = paper_audit_run(audit, tables, with_live ? &live : NULL, error);
    attn_free(path);
    return result;
}

static int run(const char *format_name, const char *folder, int with_live, attn_error *error) {
    paper_tables tables;
    paper_audit audit = {0};
    int status = STATUS_BAD_INPUT;
    int format = option_choice("--format", format_name ? format_name : "md", table_format_names, error);
    if (format_name && folder)
        attn_fail(error, "--format and --out: only one of them, as --out writes every format");
    else if (format >= 0 && !audit_all(&tables, &audit, with_live, error) &&
             !(folder ? write_folder(&tables, &audit, folder, error)
                      : write_audit(&tables, &audit, (table_format)format, stdout, error)))
        status = audit.live_mismatches ? STATUS_FAILED : STATUS_OK;
    if (status == STATUS_FAILED)
        fprintf(stderr, "attnbench paper: live bytes differ from the formula in %zu cells\n",
                audit.live_mismatches);
    paper_audit_free(&audit);
    return status;
}

int cmd_paper(int argc, char **argv) {
    int with_live = 0, status;
    char *format = NULL, *folder = NULL;
    struct poptOption options[] = {
        {"live", 'l', POPT_ARG_NONE, &with_live, 0,
         "run the whole encoder of every row and read the caches that it holds", NULL},
        {"format", 'f', POPT_ARG_STRING, &format, 0, "md, csv, json or tex (default md)", "FORMAT"},
        {"out", 'o', POPT_ARG_STRING, &folder, 0, "write paper.md, .csv, .json and .tex there instead",
         "DIR"},
        POPT_TABLEEND};
    if (!command_options(
            argc, argv, "",
            "Audits every published KV-cache cell against both geometries. With --live each row's "
            "encoder (24 x 1024 or\n"
            "18 x 512, random weights, a linear input layer so that 1000 frames stay 1000) runs "
            "once: about two minutes and\n"
            "3 GiB. Exit status 1 when a cache is not as large as its formula says.",
            options, NULL, &status))
        return status;
    attn_error error = {0};
    status = run(format, folder, with_live, &error);
    return status == STATUS_BAD_INPUT ? command_fail("paper", &error) : status;
}
