/* attnbench paper: the published KV-cache tables, audited. */
#include "cli/command.h"
#include "reports/paper/paper_live.h"
#include "reports/paper/paper_print.h"

#include <stdio.h>

static int print(const paper_tables *tables, const paper_audit *audit, int format, const char *folder,
                 attn_error *error) {
    if (!folder)
        return paper_print(tables, audit, (table_format)format, stdout, error);
    if (paper_write_folder(tables, audit, folder, error))
        return -1;
    for (int i = 0; table_format_names[i]; i++)
        printf("%s/paper.%s\n", folder, table_format_names[i]);
    return 0;
}

static int run(const char *format_name, const char *folder, int with_live, attn_error *error) {
    paper_tables tables;
    paper_audit audit = {0};
    int status = STATUS_BAD_INPUT;
    int format = option_choice("--format", format_name ? format_name : "md", table_format_names, error);
    if (format_name && folder)
        attn_fail(error, "--format and --out: only one of them, as --out writes every format");
    else if (format >= 0 && !paper_audit_published(&tables, &audit, with_live, error) &&
             !print(&tables, &audit, format, folder, error))
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
            "Audits every published KV-cache cell against both geometries. With --live each row's encoder\n"
            "(24 x 1024 or 18 x 512, random weights, a linear input layer so that 1000 frames stay 1000)\n"
            "runs once: about two minutes and 3 GiB. Exit status 1 when a cache is not as large as its\n"
            "formula says.",
            options, NULL, &status))
        return status;
    attn_error error = {0};
    status = run(format, folder, with_live, &error);
    return status == STATUS_BAD_INPUT ? command_fail("paper", &error) : status;
}
