#include "reports/fleet/fleet_page.h"

#include "base/text/json.h"
#include "base/text/utf8.h"
#include "reports/page/page.h"
#include "reports/page/template/table_data.h"
#include "reports/tables/table_list.h"

/* ---- warnings */

static void disturbed(json_t *list, const fleet_machine *m) {
    measured_samples all = measured_all_samples(&m->data);
    if (all.disturbed)
        json_array_append_new(
            list, utf8_sprintf("%s was disturbed: %zu of %zu samples lost over 1%% of their time, or "
                               "had a page read from disk.",
                               m->name, all.disturbed, all.count));
}

/* What is not the machine's, and would make two of them differ all the same. */
static void other_builds(json_t *list, const fleet *f, const fleet_machine *m) {
    static const struct {
        const char *path, *what;
    } same[] = {{"commit", "commit"},
                {"build.compiler", "compiler"},
                {"build.flags", "compiler flags"},
                {"blas.library", "BLAS"},
                {"seed", "seed"}};
    const fleet_machine *base = &f->machine[f->base];
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const json_t *a = json_at(base->results.own, same[i].path),
                     *b = json_at(m->results.own, same[i].path);
        if (!a || !b || !json_equal(a, b))
            json_array_append_new(list,
                                  utf8_sprintf("%s: its %s is another than the base's, so that not all of a "
                                               "difference is the machine's.",
                                               m->name, same[i].what));
    }
}

static json_t *warnings(const fleet *f) {
    json_t *list = json_array();
    for (size_t i = 0; i < f->count; i++) {
        other_builds(list, f, &f->machine[i]);
        disturbed(list, &f->machine[i]);
    }
    return list;
}

/* ---- parts */

static json_t *machines(const fleet *f) {
    json_t *list = json_array();
    for (size_t i = 0; i < f->count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name", f->machine[i].name, "folder",
                                              f->machine[i].folder, "is_base", i == f->base));
    return list;
}

static int add_table(json_t *list, json_t *links, const fleet_table *entry, const report_table *from,
                     attn_error *error) {
    table_column columns[REPORT_COLUMNS + 1];
    text_table shown;
    if (from->presence != TABLE_SHOWN)
        return 0;
    report_table_shown(from, &shown, columns);
    const table_frame frame = {.name = entry->name, .section = true, .note = from->note};
    json_array_append_new(links, json_pack("{s:s, s:s}", "name", entry->name, "link", entry->link));
    return json_array_append_new(list, table_data(&shown, &frame, error));
}

static json_t *figures(const fleet_report *r) {
    json_t *list = json_array();
    for (size_t i = 0; i < FLEET_PLOTS; i++) {
        const fleet_figure *drawn = &r->figures[i];
        const figure_caption caption = {.name = drawn->name,
                                        .title = drawn->title,
                                        .svg = drawn->svg,
                                        .about = drawn->about,
                                        .held_word = "Held",
                                        .held = drawn->held,
                                        .basis = ""};
        if (drawn->lines)
            json_array_append_new(list, figure_data(&caption));
    }
    return list;
}

int fleet_page_write(const char *folder, const fleet_report *r, attn_error *error) {
    const fleet *f = r->fleet;
    json_t *tables = json_array(), *links = json_array(), *said = warnings(f);
    int bad = 0;
    for (size_t i = 0; !bad && i < FLEET_TABLES; i++)
        bad = add_table(tables, links, &fleet_table_list[i], &r->tables[i], error);
    json_t *data =
        json_pack("{s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:s}", "base", f->machine[f->base].name, "warnings",
                  said, "has_warnings", json_array_size(said) > 0, "machines", machines(f), "tables", tables,
                  "links", links, "figures", figures(r), "undrawn", r->drawing.undrawn ? r->drawing.why : "");
    if (bad || !data)
        attn_no_memory(error, "page");
    int result = bad || !data ? -1 : page_render(folder, "fleet.html", data, error);
    json_decref(data);
    return result;
}
