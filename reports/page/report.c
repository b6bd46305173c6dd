#include "reports/page/report.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/page/page.h"
#include "reports/paper/claims/claims.h"
#include "reports/paper/claims/study_file.h"
#include "reports/paper/paper_file.h"
#include "reports/plots/draw.h"
#include "reports/study/pictures/study_plots.h"
#include "reports/tables/sentences/answer.h"
#include "reports/tables/sentences/findings.h"

#include <string.h>

/* ---- what is given */

static int read_paper(report *r, const char *live_file, attn_error *error) {
    paper_live live;
    int result = paper_read_published(&r->paper, error);
    if (!result && live_file)
        result = paper_live_read(&live, &r->paper, live_file, error);
    if (!result)
        result = paper_audit_run(&r->audit, &r->paper, live_file ? &live : NULL, error);
    r->paper_file = live_file;
    return result;
}

/* Of errors after conversion the first subject's count. */
static int judge_claims(report *r, const char *study, attn_error *error) {
    claims_evidence evidence = {.tables = &r->paper,
                                .results = &r->data,
                                .conversion = r->tradeoffs.count ? r->tradeoffs.of[0].points.rows : NULL};
    json_t *models = study ? study_by_model(r->study.root, study, error) : NULL;
    evidence.study = models;
    int result = study && !models ? -1 : claims_fill(&r->claims, &evidence, error);
    json_decref(models);
    return result;
}

static int read_inputs(report *r, const results *from, const report_request *request, attn_error *error) {
    if (read_paper(r, request->paper, error))
        return -1;
    for (size_t i = 0; request->tradeoffs && request->tradeoffs[i]; i++)
        if (tradeoffs_read(&r->tradeoffs, request->tradeoffs[i], error))
            return -1;
    for (size_t i = 0; request->profiles && request->profiles[i]; i++)
        if (speech_profiles_read(&r->profiles, request->profiles[i], error))
            return -1;
    if (request->study && study_data_read(&r->study, request->study, error))
        return -1;
    if (report_data_init(&r->data, from, error))
        return -1;
    r->data.study = request->study ? &r->study : NULL;
    return judge_claims(r, request->study, error);
}

/* ---- what is made of it */

static int draw_plots(report *r, const char *out, attn_error *error) {
    char *folder = attn_format(error, "%s/plots", out);
    int result =
        folder ? figures_draw(r->figures, r->figure_count, &r->data, folder, &r->drawing, error) : -1;
    if (!result)
        result = tradeoffs_draw(&r->tradeoffs, folder, &r->drawing, error);
    if (!result)
        result = study_plots_draw(&r->study, folder, &r->drawing, error);
    attn_free(folder);
    return result;
}

static const series_lines *lines_named(const report *r, const char *name) {
    for (size_t i = 0; i < r->figure_count; i++)
        if (!strcmp(r->figures[i].plot->name, name))
            return &r->figures[i].lines;
    static const series_lines none = {0};
    return &none;
}

static int fill_tables(report *r, const char *columns, attn_error *error) {
    const table_sources from = {.data = &r->data,
                                .cache = lines_named(r, "cache_bytes"),
                                .decode = lines_named(r, "decode_time"),
                                .prefill = lines_named(r, "prefill_time"),
                                .paths = lines_named(r, "mla_paths"),
                                .audit = &r->audit,
                                .claims = &r->claims,
                                .profiles = &r->profiles,
                                .study = &r->study};
    report_tables_fill(r->tables, &from);
    if (columns && report_tables_choose(r->tables, columns, error))
        return -1;
    r->answer = answer_list(&r->data);
    r->trust = answer_trust(&r->data);
    r->findings = findings_list(&from);
    r->warnings = warnings_list(&r->data);
    return r->answer && r->trust && r->findings && r->warnings ? 0 : attn_no_memory(error, "report");
}

static int write_tables(const report *r, const char *out, attn_error *error) {
    char *folder = attn_format(error, "%s/tables", out);
    int result = folder ? report_tables_write(r->tables, folder, error) : -1;
    for (size_t i = 0; !result && i < r->tradeoffs.count; i++)
        result = table_write_files(&r->tradeoffs.of[i].points, folder, r->tradeoffs.of[i].name, error);
    attn_free(folder);
    return result;
}

static void free_report(report *r) {
    for (size_t i = 0; i < r->figure_count; i++)
        figure_free(&r->figures[i]);
    for (size_t i = 0; i < REPORT_TABLES; i++)
        report_table_free(&r->tables[i]);
    paper_audit_free(&r->audit);
    table_free(&r->claims);
    tradeoffs_free(&r->tradeoffs);
    speech_profiles_free(&r->profiles);
    json_decref(r->answer);
    json_decref(r->trust);
    study_data_free(&r->study);
    json_decref(r->findings);
    json_decref(r->warnings);
    report_data_free(&r->data);
}

int report_make_of(const results *from, const report_request *request, drawing *pictures, attn_error *error) {
    report r = {0};
    int result = -1;
    if (!read_inputs(&r, from, request, error) &&
        !figures_select(r.figures, &r.figure_count, &r.data, error) &&
        !fill_tables(&r, request->columns, error) && !attn_make_folder(request->out, error) &&
        !draw_plots(&r, request->out, error) && !write_tables(&r, request->out, error))
        result =
            page_write(request->out, &r, error); /* last: whoever sees it sees everything that it names */
    *pictures = r.drawing;
    free_report(&r);
    return result;
}
