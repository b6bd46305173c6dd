#include "tests/fuzz/fuzz.h"

#include "reports/data/findings.h"
#include "reports/plots/plots.h"

#include <math.h>

/* What was read must also be fit for everything that a report makes of it. */
static void make_report(const results *r) {
    report_data data;
    report_table shown;
    attn_error error = {0};
    FUZZ_REQUIRE(!report_data_init(&data, r, &error));
    for (const plot *p = plots; p->name; p++) {
        lines l;
        if (p->roofline)
            continue;
        FUZZ_REQUIRE(!lines_select(&l, &data, &p->select, &error));
        for (size_t i = 0; i < l.count; i++)
            FUZZ_REQUIRE(l.line[i].count >= 2 && l.line[i].points[0].x < l.line[i].points[1].x);
        table_summary(&shown, &l, &l, &l);
        FUZZ_REQUIRE(shown.t.rows);
        report_table_free(&shown);
        json_decref(findings_list(&data, &l, &l, &l, &l));
        lines_free(&l);
    }
    table_speed(&shown, &data);
    FUZZ_REQUIRE(shown.t.rows);
    report_table_free(&shown);
    table_counter_values(&shown, &data);
    FUZZ_REQUIRE(shown.t.rows);
    report_table_free(&shown);
    json_decref(warnings_list(&data));
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
