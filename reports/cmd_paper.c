/* attnbench paper: the published KV-cache tables, audited. */
#include "attn/alloc.h"
#include "harness/command.h"
#include "harness/home.h"
#include "reports/paper_live.h"

#include <stdio.h>

static int write_json(const paper_audit *audit, attn_error *error) {
    json_t *root = json_pack("{s:O, s:O}", "cells", audit->cells.rows, "additions", audit->additions.rows);
    int bad = !root || json_dumpf(root, stdout, JSON_INDENT(2)) || putchar('\n') == EOF;
    json_decref(root);
    return bad ? attn_fail(error, "standard output cannot be written") : 0;
}

static int write_geometries(const paper_tables *tables, const char *mark, attn_error *error) {
    for (size_t m = 0; m < tables->models; m++) {
        const paper_row *row = &tables->model[m].row[0];
        char *claimed = paper_shape_text(&row->claimed, error);
        char *identified = paper_shape_text(&row->identified, error);
        if (claimed && identified)
            printf("%s%s: claimed %s; identified %s\n", mark, tables->model[m].name, claimed, identified);
        attn_free(claimed);
        attn_free(identified);
        if (!claimed || !identified)
            return -1;
    }
    putchar('\n');
    return 0;
}

static int write_text(const paper_tables *tables, const paper_audit *audit, table_format format,
                      attn_error *error) {
    const char *mark = format == TABLE_MD ? "* " : "% ";
    printf("%s%zu frames, batch %zu, float32; MiB is 2^20 bytes\n", mark, tables->frames, tables->batch);
    if (write_geometries(tables, mark, error) || table_write(&audit->cells, format, stdout, error))
        return -1;
    putchar('\n');
    return table_write(&audit->additions, format, stdout, error);
}

/* A CSV file is one table: cells first, then additions, each with what it has. */
static int write_csv(const paper_audit *audit, attn_error *error) {
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
    int result = table_write(&all, TABLE_CSV, stdout, error);
    table_free(&all);
    return result;
}

static int write_audit(const paper_tables *tables, const paper_audit *audit, table_format format,
                       attn_error *error) {
    if (format == TABLE_JSON)
        return write_json(audit, error);
    return format == TABLE_CSV ? write_csv(audit, error) : write_text(tables, audit, format, error);
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

int cmd_paper(int argc, char **argv) {
    int with_live = 0, status;
    char *format_name = "md";
    struct poptOption options[] = {
        {"live", 'l', POPT_ARG_NONE, &with_live, 0, "run every row and read the caches it allocated", NULL},
        {"format", 'f', POPT_ARG_STRING, &format_name, 0, "md, csv, json or tex (default md)", "FORMAT"},
        POPT_TABLEEND};
    if (!command_options(argc, argv, "", "Audits every published KV-cache cell against both geometries.",
                         options, NULL, &status))
        return status;
    attn_error error = {0};
    paper_tables tables;
    paper_audit audit = {0};
    int format = command_choice("--format", format_name, table_format_names, &error);
    status = STATUS_BAD_INPUT;
    if (format >= 0 && !audit_all(&tables, &audit, with_live, &error) &&
        !write_audit(&tables, &audit, (table_format)format, &error))
        status = audit.live_mismatches ? STATUS_FAILED : STATUS_OK;
    if (status == STATUS_BAD_INPUT)
        command_fail("paper", &error);
    else if (status == STATUS_FAILED)
        fprintf(stderr, "attnbench paper: live bytes differ from the formula in %zu cells\n",
                audit.live_mismatches);
    paper_audit_free(&audit);
    return status;
}
