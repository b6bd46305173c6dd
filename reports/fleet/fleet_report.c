#include "reports/fleet/fleet_report.h"

#include "base/text/table_write.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/fleet/fleet_page.h"
#include "reports/tables/table_list.h"

static int write_tables(fleet_report *r, const char *out, attn_error *error) {
    char *folder = attn_format(error, "%s/tables", out);
    int result = folder ? attn_make_folder(folder, error) : -1;
    for (size_t i = 0; !result && i < FLEET_TABLES; i++) {
        fleet_table_list[i].fill(&r->tables[i], r->fleet);
        if (r->tables[i].t.rows && !json_array_size(r->tables[i].t.rows))
            r->tables[i].presence = TABLE_EMPTY;
        result = report_table_write(&r->tables[i], folder, fleet_table_list[i].name, error);
    }
    attn_free(folder);
    return result;
}

static int draw_plots(fleet_report *r, const char *out, attn_error *error) {
    char *folder = attn_format(error, "%s/plots", out);
    int result = folder ? fleet_draw(r->figures, r->fleet, folder, &r->drawing, error) : -1;
    attn_free(folder);
    return result;
}

/* The report of each machine alone. */
static int write_machines(const fleet *f, const report_request *asked, drawing *pictures, attn_error *error) {
    int result = 0;
    for (size_t i = 0; !result && i < f->count; i++) {
        char *folder = attn_format(error, "%s/%s", asked->out, f->machine[i].folder);
        drawing own = {0};
        const report_request request = {.out = folder, .columns = asked->columns};
        result = folder ? report_make_of(&f->machine[i].results, &request, &own, error) : -1;
        if (own.undrawn && !pictures->undrawn)
            *pictures = own;
        attn_free(folder);
    }
    return result;
}

static int make(const fleet *f, const report_request *asked, drawing *pictures, attn_error *error) {
    const char *out = asked->out;
    fleet_report r = {.fleet = f};
    int result = -1;
    if (!attn_make_folder(out, error) && !draw_plots(&r, out, error) && !write_tables(&r, out, error) &&
        !write_machines(f, asked, &r.drawing, error))
        result = fleet_page_write(out, &r, error);
    *pictures = r.drawing;
    for (size_t i = 0; i < FLEET_TABLES; i++)
        report_table_free(&r.tables[i]);
    fleet_figures_free(r.figures);
    return result;
}

static int check_alone(const report_request *request, attn_error *error) {
    const char *option = request->paper       ? "--paper"
                         : request->tradeoffs ? "--tradeoff"
                         : request->profiles  ? "--profile"
                         : request->study     ? "--study"
                                              : NULL;
    return option ? attn_fail(error, "%s: goes with the results of one machine", option) : 0;
}

int fleet_report_make(const char *const *files, const char *base, const report_request *request,
                      drawing *pictures, attn_error *error) {
    fleet *f = attn_alloc(1, sizeof *f, "machines", error);
    int result = f && !fleet_read(f, files, error) && !fleet_choose_base(f, base, error) ? 0 : -1;
    if (!result && f->count == 1)
        result = report_make_of(&f->machine[0].results, request, pictures, error);
    else if (!result)
        result = check_alone(request, error) || make(f, request, pictures, error) ? -1 : 0;
    if (f)
        fleet_free(f);
    attn_free(f);
    return result;
}
