/* attnbench paper: the published KV-cache tables, audited; the paper's claims, judged. */
#include "base/text/table_write.h"
#include "cli/frame/command.h"
#include "harness/results/results.h"
#include "reports/paper/claims/claims.h"
#include "reports/paper/claims/study_file.h"
#include "reports/paper/paper_live.h"
#include "reports/paper/paper_print.h"

#include <stdio.h>

typedef struct arguments {
    int with_live, claims;
    char *format, *folder, *results, *conversion, *tuned, *study;
} arguments;

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

static int audit_tables(const arguments *a, int format, attn_error *error) {
    paper_tables tables;
    paper_audit audit = {0};
    int status = STATUS_BAD_INPUT;
    if (!paper_audit_published(&tables, &audit, a->with_live, error) &&
        !print(&tables, &audit, format, a->folder, error))
        status = audit.live_mismatches ? STATUS_FAILED : STATUS_OK;
    if (status == STATUS_FAILED)
        fprintf(stderr, "attnbench paper: live bytes differ from the formula in %zu cells\n",
                audit.live_mismatches);
    paper_audit_free(&audit);
    return status;
}

/* What was given for the claims to stand on. */
typedef struct given {
    paper_tables tables;
    results results;
    report_data data;
    json_t *conversion, *tuned, *study, *models;
} given;

static int read_given(given *g, claims_evidence *e, const arguments *a, attn_error *error) {
    if (paper_read_published(&g->tables, error) ||
        (a->results &&
         (results_read(&g->results, a->results, error) || report_data_init(&g->data, &g->results, error))) ||
        (a->conversion && claims_read(&g->conversion, a->conversion, error)) ||
        (a->tuned && claims_read(&g->tuned, a->tuned, error)) ||
        (a->study && (claims_read(&g->study, a->study, error) ||
                      !(g->models = study_by_model(g->study, a->study, error)))))
        return -1;
    *e = (claims_evidence){.tables = &g->tables,
                           .results = a->results ? &g->data : NULL,
                           .conversion = g->conversion,
                           .tuned = g->tuned,
                           .study = g->models};
    return 0;
}

static int judge_claims(const arguments *a, int format, attn_error *error) {
    given g = {0};
    claims_evidence evidence;
    text_table t = {0};
    int failed = read_given(&g, &evidence, a, error) || claims_fill(&t, &evidence, error) ||
                 table_write(&t, (table_format)format, stdout, error);
    table_free(&t);
    report_data_free(&g.data);
    results_free(&g.results);
    json_decref(g.conversion);
    json_decref(g.tuned);
    json_decref(g.study);
    json_decref(g.models);
    return failed ? STATUS_BAD_INPUT : STATUS_OK;
}

static int check(const arguments *a, attn_error *error) {
    if (a->format && a->folder)
        return attn_fail(error, "--format and --out: only one of them, as --out writes every format");
    if (a->claims && (a->with_live || a->folder))
        return attn_fail(error, "--claims: goes without --live and --out");
    if (!a->claims && (a->results || a->conversion || a->tuned || a->study))
        return attn_fail(error, "--results, --conversion, --tuned and --study go with --claims");
    return 0;
}

static int run(const arguments *a, attn_error *error) {
    int format = option_choice("--format", a->format ? a->format : "md", table_format_names, error);
    if (format < 0 || check(a, error))
        return STATUS_BAD_INPUT;
    return a->claims ? judge_claims(a, format, error) : audit_tables(a, format, error);
}

int cmd_paper(int argc, char **argv) {
    arguments a = {0};
    int status;
    struct poptOption options[] = {
        {"live", 'l', POPT_ARG_NONE, &a.with_live, 0,
         "run the whole encoder of every row and read the caches that it holds", NULL},
        {"claims", '\0', POPT_ARG_NONE, &a.claims, 0,
         "instead: every claim of the paper that can be tested, with a verdict", NULL},
        {"results", '\0', POPT_ARG_STRING, &a.results, 0, "of --claims: what sweep wrote, for claims on time",
         "R.json"},
        {"conversion", '\0', POPT_ARG_STRING, &a.conversion, 0,
         "of --claims: what analyze --sweep --format json wrote, for claims on error", "T.json"},
        {"tuned", '\0', POPT_ARG_STRING, &a.tuned, 0,
         "of --claims: what analyze --mha --mla --format json wrote of fine-tuned models", "A.json"},
        {"study", '\0', POPT_ARG_STRING, &a.study, 0,
         "of --claims: what study wrote, for claims on recognition", "study.json"},
        {"format", 'f', POPT_ARG_STRING, &a.format, 0, "md, csv, json or tex (default md)", "FORMAT"},
        {"out", 'o', POPT_ARG_STRING, &a.folder, 0, "write paper.md, .csv, .json and .tex there instead",
         "DIR"},
        POPT_TABLEEND};
    if (!command_options(
            argc, argv, "",
            "Audits every published KV-cache cell against both geometries. With --live each row's encoder\n"
            "(24 x 1024 or 18 x 512, random weights, a linear input layer so that 1000 frames stay 1000)\n"
            "runs once, and one layer of it with its cache in f16 and q8_0: about two minutes and 3 GiB.\n"
            "Exit status 1 when a cache is not as large as its formula says. With --claims,\n"
            "each claim is reproduced, refuted, undecided (what was measured is not clearly apart), not\n"
            "measured yet (what would show it was not given) or not testable here.",
            options, NULL, &status))
        return status;
    attn_error error = {0};
    status = run(&a, &error);
    return status == STATUS_BAD_INPUT ? command_fail("paper", &error) : status;
}
