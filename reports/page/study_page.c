#include "reports/page/study_page.h"

#include "attn/alloc.h"
#include "reports/page/page.h"
#include "reports/page/page_data.h"
#include "reports/study/pictures/study_plots.h"
#include "reports/study/study_section.h"

static int write_page(const study_data *d, const report_table tables[REPORT_TABLES], const char *out,
                      const drawing *pictures, attn_error *error) {
    json_t *data = json_pack("{s:o, s:o}", "study", study_page_data(d, pictures), "tables",
                             page_tables_of(tables, error));
    int result = page_render(out, "study_page.html", data, error);
    json_decref(data);
    return result;
}

static int write_tables(report_table tables[REPORT_TABLES], const char *out, attn_error *error) {
    char *folder = attn_format(error, "%s/tables", out);
    int failed = folder ? report_tables_write(tables, folder, error) : -1;
    attn_free(folder);
    return failed;
}

static int draw(study_data *d, const char *out, drawing *pictures, attn_error *error) {
    char *folder = attn_format(error, "%s/plots", out);
    int failed = folder ? study_plots_draw(d, folder, pictures, error) : -1;
    attn_free(folder);
    return failed;
}

int study_page_make(study_data *d, const char *out, drawing *pictures, attn_error *error) {
    report_table tables[REPORT_TABLES];
    const table_sources from = {.study = d};
    report_tables_fill_place(tables, &from, PLACE_STUDY);
    int failed = draw(d, out, pictures, error) || write_tables(tables, out, error) ||
                 write_page(d, tables, out, pictures, error);
    for (size_t i = 0; i < REPORT_TABLES; i++)
        report_table_free(&tables[i]);
    return failed ? -1 : 0;
}
