#include "tests/fuzz/fuzz.h"

#include "reports/plots/plots.h"
#include "reports/tables/sentences/findings.h"

#include <math.h>
#include <string.h>

static void make_lines(series_lines *l, const report_data *data, const series_selection *s) {
    attn_error error = {0};
    FUZZ_REQUIRE(!series_select(l, data, s, &error));
    for (size_t i = 0; i < l->count; i++)
        FUZZ_REQUIRE(l->line[i].count >= 2 && l->line[i].points[0].x < l->line[i].points[1].x);
}

/* lines: of each plot. Tables take those that they take in a report. */
static const series_lines *lines_of(const series_lines lines[PLOTS_MAX], const char *name) {
    size_t i = 0;
    while (strcmp(plots[i].name, name) != 0)
        i++;
    return &lines[i];
}

static void make_tables(const report_data *data, const series_lines lines[PLOTS_MAX]) {
    static const table_column columns[] = {{NULL, NULL, NULL}};
    static const speech_profiles no_profiles;
    paper_audit audit = {0};
    table_init(&audit.cells, "cells", columns);
    table_init(&audit.additions, "additions", columns);
    const table_sources from = {.data = data,
                                .cache = lines_of(lines, "cache_bytes"),
                                .decode = lines_of(lines, "decode_time"),
                                .prefill = lines_of(lines, "prefill_time"),
                                .paths = lines_of(lines, "mla_paths"),
                                .audit = &audit,
                                .claims = &audit.cells,
                                .profiles = &no_profiles};
    for (size_t i = 0; i < REPORT_TABLES; i++) {
        report_table shown;
        report_table_list[i].fill(&shown, &from);
        FUZZ_REQUIRE(shown.t.rows || shown.presence == TABLE_NOT_GIVEN);
        report_table_free(&shown);
    }
    json_decref(findings_list(&from));
    paper_audit_free(&audit);
}

/* What was read must also be fit for everything that a report makes of it. */
static void make_report(const results *r) {
    report_data data;
    series_lines lines[PLOTS_MAX] = {{0}};
    attn_error error = {0};
    FUZZ_REQUIRE(!report_data_init(&data, r, &error));
    for (size_t i = 0; plots[i].name; i++)
        if (plots[i].kind == PLOT_LINES)
            make_lines(&lines[i], &data, &plots[i].select);
    make_tables(&data, lines);
    json_decref(warnings_list(&data));
    for (size_t i = 0; plots[i].name; i++)
        series_free(&lines[i]);
    report_data_free(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    results r;
    attn_error error = {0};
    int result = results_parse(&r, (const char *)data, size, "R.json", &error);
    fuzz_check_error(result, &error);
    if (!result) {
        for (size_t i = 0; i < r.count; i++) {
            const results_case *c = &r.cases[i];
            FUZZ_REQUIRE(c->error || c->count > 0);
            for (size_t k = 0; k < c->count; k++)
                FUZZ_REQUIRE(c->samples[k].real_time > 0 && isfinite(c->samples[k].real_time));
        }
        make_report(&r);
    }
    results_free(&r);
    FUZZ_REQUIRE(attn_alloc_live() == 0);
    return 0;
}
