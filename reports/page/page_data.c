#include "reports/page/page_data.h"

#include "attn/alloc.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "reports/page/template/table_data.h"
#include "reports/study/study_section.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- top */

static void add_fact(json_t *list, const char *name, const char *value) {
    if (*value)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "value", value));
}

static json_t *facts(const results *from) {
    json_t *list = json_array();
    add_fact(list, "on", results_text(from, "machine.cpu", ""));
    add_fact(list, "kernels", results_text(from, "machine.isa", ""));
    add_fact(list, "BLAS core", results_text(from, "blas.core", ""));
    add_fact(list, "plan", results_text(from, "plan", ""));
    add_fact(list, "commit", results_text(from, "commit", ""));
    add_fact(list, "date", json_text(from->context, "date"));
    return list;
}

static void add_positions(json_t *list, const report *r, const char *kind, const char *name) {
    char text[160];
    kind_positions_text(text, sizeof text, &r->data, kind);
    add_fact(list, name, text);
}

static json_t *checks(const report *r) {
    measured_checks all = measured_all_checks(&r->data);
    return json_pack("{s:I, s:I, s:b}", "passed", (json_int_t)all.passed, "failed", (json_int_t)all.failed,
                     "all_passed", !all.failed);
}

json_t *page_top(const report *r, attn_error *error) {
    (void)error;
    size_t rows = 0;
    json_t *positions = json_array();
    for (size_t i = 0; i < r->data.count; i++)
        rows += results_is_model(r->data.cases[i].c);
    add_positions(positions, r, "attention", "positions in layers");
    add_positions(positions, r, "encoder", "positions in encoders");
    char day[11]; /* of "2026-11-27T03:33:47+00:00" */
    snprintf(day, sizeof day, "%.10s", json_text(r->data.results->context, "date"));
    size_t limits = r->data.count - rows;
    return json_pack(
        "{s:s, s:o, s:o, s:I, s:o, s:o, s:o}", "cpu", results_text(r->data.results, "machine.cpu", "report"),
        "date", utf8_json(day), "facts", facts(r->data.results), "cases", (json_int_t)rows, "limits",
        limits ? json_integer((json_int_t)limits) : json_null(), "positions", positions, "checks", checks(r));
}

/* ---- tables */

static json_t *one_table(const report_table *from, const table_entry *entry, attn_error *error) {
    table_column columns[2 * REPORT_COLUMNS + 1];
    text_table all;
    size_t shown = report_table_all(from, &all, columns);
    const table_frame frame = {.name = entry->name,
                               .shown = shown,
                               .section = entry->level == LEVEL_SECTION,
                               .part = entry->level == LEVEL_PART,
                               .note = from->note,
                               .remarks = from->remarks};
    return table_data(&all, &frame, error);
}

json_t *page_tables(const report *r, attn_error *error) {
    return page_tables_of(r->tables, error);
}

json_t *page_tables_of(const report_table tables[REPORT_TABLES], attn_error *error) {
    static const char *const places[TABLE_PLACES] = {"models", "layers",  "plots",  "audit",
                                                     "study",  "machine", "details"};
    json_t *links = json_array(), *left_out = json_array();
    json_t *data = json_pack("{s:o, s:o}", "links", links, "left_out", left_out);
    for (size_t p = 0; data && p < TABLE_PLACES; p++)
        json_object_set_new(data, places[p], json_array());
    for (size_t i = 0; data && i < REPORT_TABLES; i++) {
        const table_entry *entry = &report_table_list[i];
        json_t *list = json_object_get(data, places[entry->place]);
        if (tables[i].presence == TABLE_EMPTY)
            json_array_append_new(left_out, json_string(tables[i].t.title));
        if (tables[i].presence != TABLE_SHOWN)
            continue;
        if (*entry->link)
            json_array_append_new(links, json_pack("{s:s, s:s}", "name", entry->name, "link", entry->link));
        if (json_array_append_new(list, one_table(&tables[i], entry, error))) {
            json_decref(data);
            data = NULL;
        }
    }
    return data;
}

/* ---- plots */

static json_t *one_figure(const figure *f) {
    const picture *p = &f->picture;
    char basis[sizeof p->basis], about[1400];
    snprintf(about, sizeof about, "%s%s", f->plot->about, p->more);
    snprintf(basis, sizeof basis, "%s", p->basis);
    basis[0] = (char)toupper((unsigned char)basis[0]);
    const figure_caption caption = {.name = f->plot->name,
                                    .title = *p->title ? p->title : f->plot->title,
                                    .shows = *p->title ? f->plot->title : NULL,
                                    .svg = f->svg,
                                    .about = about,
                                    .held_word = f->plot->kind == PLOT_ROOFLINE ? "Shown" : "Held",
                                    .held = p->held,
                                    .basis = basis};
    return figure_data(&caption);
}

static bool has_tables(const report *r, table_place place) {
    for (size_t i = 0; i < REPORT_TABLES; i++)
        if (report_table_list[i].place == place && r->tables[i].presence == TABLE_SHOWN)
            return true;
    return false;
}

json_t *page_plots(const report *r, attn_error *error) {
    (void)error;
    static const char *const places[PLOT_PLACES] = {"below", "first", "models", "small", "machine"};
    json_t *left_out = json_array();
    json_t *data =
        json_pack("{s:o, s:o}", "missing", missing_pictures_data(&r->drawing), "left_out", left_out);
    for (size_t i = 0; data && i < PLOT_PLACES; i++)
        json_object_set_new(data, places[i], json_array());
    for (size_t i = 0; data && i < r->figure_count; i++) {
        const plot *p = r->figures[i].plot;
        if (r->figures[i].points)
            json_array_append_new(json_object_get(data, places[p->place]), one_figure(&r->figures[i]));
        else
            json_array_append_new(left_out, json_pack("{s:s, s:s}", "title", p->title, "needs", p->needs));
    }
    if (data)
        json_object_set_new(data, "has_machine",
                            json_boolean(json_array_size(json_object_get(data, places[PLOT_MACHINE])) ||
                                         has_tables(r, PLACE_MACHINE)));
    return data;
}

static json_t *tradeoff_figure(const tradeoff *t) {
    const json_t *first = json_array_get(t->points.rows, 0);
    bool held_out = json_is_true(json_object_get(first, "held_out"));
    char *about =
        attn_format(NULL,
                    "Each point is a conversion that was made and run, on %s%s. Cache by formula, "
                    "float32, %.0f frames. The dotted line is latent_dim = d_model, where a cache of the "
                    "layer's input stands.",
                    json_string_value(json_object_get(first, "inputs")),
                    held_out ? ", apart from those that calibrated it" : ", which calibrated it too",
                    json_number_value(json_object_get(first, "frames")));
    char title[160];
    tradeoff_title(title, sizeof title, t);
    const figure_caption caption = {.name = t->name,
                                    .title = title,
                                    .shows = json_string_value(json_object_get(first, "subject")),
                                    .svg = t->svg,
                                    .about = about,
                                    .held_word = "",
                                    .held = "",
                                    .basis = ""};
    json_t *data = about ? figure_data(&caption) : NULL;
    attn_free(about);
    return data;
}

static json_t *tradeoff_text(const tradeoff *t, attn_error *error) {
    char *text = tradeoff_finding(t, error);
    json_t *finding = text ? json_string(text) : NULL;
    attn_free(text);
    return finding;
}

json_t *page_tradeoffs(const report *r, attn_error *error) {
    json_t *findings = json_array(), *figures = json_array(), *tables = json_array();
    int bad = 0;
    if (!r->tradeoffs.count)
        bad = -1;
    for (size_t i = 0; !bad && i < r->tradeoffs.count; i++) {
        const tradeoff *t = &r->tradeoffs.of[i];
        const table_frame frame = {.name = t->name, .note = ""};
        bad = json_array_append_new(findings, tradeoff_text(t, error)) ||
              json_array_append_new(figures, tradeoff_figure(t)) ||
              json_array_append_new(tables, table_data(&t->points, &frame, error));
    }
    json_t *data = json_pack("{s:o, s:o, s:o}", "findings", findings, "figures", figures, "tables", tables);
    if (!bad)
        return data;
    json_decref(data);
    return r->tradeoffs.count ? NULL : json_null();
}

/* ---- the paper's audit */

static json_t *paper_model_data(const paper_model *model, attn_error *error) {
    char *claimed = paper_shape_text(&model->row[0].claimed, error);
    char *identified = paper_shape_text(&model->row[0].identified, error);
    json_t *data = claimed && identified ? json_pack("{s:s, s:s, s:s}", "name", model->name, "claimed",
                                                     claimed, "identified", identified)
                                         : NULL;
    attn_free(claimed);
    attn_free(identified);
    return data;
}

/* Without the folders of the machine that it lay on. */
static const char *name_of(const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}

json_t *page_audit(const report *r, attn_error *error) {
    json_t *models = json_array();
    for (size_t m = 0; models && m < r->paper.models; m++)
        if (json_array_append_new(models, paper_model_data(&r->paper.model[m], error))) {
            json_decref(models);
            return NULL;
        }
    return json_pack("{s:o, s:o, s:s?}", "models", models, "cited",
                     json_sprintf("\"%s\" (%s): %s", r->paper.paper, r->paper.document, r->paper.source),
                     "live_file", name_of(r->paper_file));
}

/* ---- a study */

json_t *page_study(const report *r, attn_error *error) {
    (void)error;
    return study_page_data(&r->study, &r->drawing);
}

/* ---- the command that measures again */

/* The word as a shell reads it. */
static void write_word(FILE *out, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
    bool quoted = !*word || word[strspn(word, plain)];
    fputs(quoted ? " '" : " ", out);
    for (const char *c = word; *c; c++)
        if (*c == '\'')
            fputs("'\\''", out);
        else
            fputc(*c, out);
    if (quoted)
        fputc('\'', out);
}

static void write_options(FILE *out, const report *r, const json_t *options) {
    const json_t *word;
    size_t i;
    json_array_foreach(options, i, word) {
        const char *text = json_string_value(word);
        write_word(out, text ? text : "");
    }
    if (json_array_size(options))
        return;
    fputs(" --plan", out);
    write_word(out, results_text(r->data.results, "plan", "PLAN"));
}

json_t *page_command(const report *r, attn_error *error) {
    (void)error;
    const char *commit = results_text(r->data.results, "commit", "");
    const json_t *options = json_object_get(r->data.results->own, "options");
    char *words = NULL;
    size_t size;
    FILE *out = open_memstream(&words, &size);
    if (!out)
        return NULL;
    write_options(out, r, options);
    json_t *data = fclose(out) ? NULL
                               : json_pack("{s:o, s:s, s:b}", "commit",
                                           json_stringn(commit, strspn(commit, "0123456789abcdef")), "words",
                                           words, "has_options", json_array_size(options) > 0);
    free(words);
    return data;
}
