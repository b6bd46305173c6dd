#include "reports/plots/figure.h"

#include "base/text/append.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/data/case_names.h"
#include "reports/plots/lines_plot.h"
#include "reports/plots/machine_curves.h"
#include "reports/plots/overview.h"
#include "reports/plots/parts_plot.h"
#include "reports/plots/roofline.h"
#include "reports/plots/run/staging.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 420, HEIGHT = 330, LOW_HEIGHT = 260, OVERVIEW_WIDTH = 440, OVERVIEW_HEIGHT = 370, TALL = 440 };

static void write_head(const figure *f, const report_data *data, FILE *script) {
    picture_write_head(script, &f->picture, f->plot->name, f->plot->title,
                       results_text(data->results, "machine.cpu", "unknown CPU"));
}

/* ---- lines */

static void share_axis(picture *p, const plot *row, const figure *all, size_t count) {
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++)
        if (all[i].plot->shared && !strcmp(all[i].plot->y_label, row->y_label))
            lines_plot_range(all[i].plot, &all[i].lines, &least, &most);
    p->frame.y_least = least;
    p->frame.y_most = most;
}

/* Key/value heads that change along a line: "; h_kv of GQA, from left to right: 1, 1, 2, 4". */
static void name_kv_heads(char *text, size_t size, const series_lines *l) {
    for (size_t i = 0; i < l->count; i++) {
        const series_line *one = &l->line[i];
        char heads[64] = "", name[CASE_NAME];
        bool mixed = false;
        for (size_t k = 0; k < one->count; k++) {
            text_list(heads, sizeof heads, ", ", "%zu", one->points[k].from->c->hkv);
            mixed |= one->points[k].from->c->hkv != one->points[0].from->c->hkv;
        }
        type_name(name, sizeof name, one->from->c->type);
        if (mixed)
            text_append(text, size, "; h_kv of %s, from left to right: %s", name, heads);
    }
}

static void write_lines(figure *f, const figure *all, size_t count, const report_data *data, FILE *points,
                        FILE *script) {
    picture *p = &f->picture;
    const plot *row = f->plot;
    p->frame = frame_empty(WIDTH, row->place == PLOT_SMALL ? LOW_HEIGHT : HEIGHT, row->log_x, row->log_y);
    if (row->shared)
        share_axis(p, row, all, count);
    if (row->select.y == QUANTITY_CACHE_BYTES)
        snprintf(p->basis, sizeof p->basis, "as allocated, the same in all of %zu runs or more",
                 f->lines.basis.least_runs);
    else
        measured_basis_text(p->basis, sizeof p->basis, &f->lines.basis);
    snprintf(p->held, sizeof p->held, "%s", f->lines.held);
    if (row->select.x != FIELD_HKV)
        name_kv_heads(p->held, sizeof p->held, &f->lines);
    if (row->finding)
        row->finding(p->title, sizeof p->title, &f->lines);
    write_head(f, data, script);
    f->points = lines_plot_write(p, row, &f->lines, points, script);
}

/* ---- others */

static void write_overview(figure *f, const report_data *data, FILE *points, FILE *script) {
    picture *p = &f->picture;
    rivals r;
    measured_basis basis = {0};
    rivals_decoding(&r, data);
    if (!r.count)
        return;
    for (size_t i = 0; i < r.count; i++)
        measured_basis_add(&basis, r.of[i].m);
    const results_case *c = r.of[0].m->c;
    p->frame = frame_empty(OVERVIEW_WIDTH, OVERVIEW_HEIGHT, true, true);
    measured_basis_text(p->basis, sizeof p->basis, &basis);
    snprintf(p->held, sizeof p->held, "L %zu, h %zu, d_model %zu, B %zu, pos %s", c->L, c->h, c->d, c->B,
             c->pos);
    overview_title(p->title, sizeof p->title, &r);
    write_head(f, data, script);
    f->points = overview_write(p, f->plot, &r, data, points, script);
}

/* The one plot in which cases of different positions may stand together. */
static void write_roofline(figure *f, const report_data *data, FILE *points, FILE *script) {
    picture *p = &f->picture;
    char positions[160];
    measured_basis basis = {0};
    for (size_t i = 0; i < data->count; i++)
        if ((data->cases[i].c->t > 1) == f->plot->all_cores)
            measured_basis_add(&basis, &data->cases[i]);
    measured_basis_text(p->basis, sizeof p->basis, &basis);
    p->basis[strcspn(p->basis, ",")] = '\0'; /* no bars are drawn */
    p->frame = frame_empty(WIDTH, TALL, true, true);
    kind_positions_text(positions, sizeof positions, data, "attention");
    if (*positions)
        snprintf(p->held, sizeof p->held, "pos %s", positions);
    roofline_title(p->title, sizeof p->title, f->plot, data);
    write_head(f, data, script);
    f->points = roofline_write(p, f->plot, data, points, script);
}

static void write_curves(figure *f, const report_data *data, FILE *points, FILE *script) {
    f->picture.frame = frame_empty(WIDTH, HEIGHT, f->plot->log_x, f->plot->log_y);
    f->points = machine_curves_write(&f->picture, f->plot, data, points, script);
}

static void write_parts(figure *f, const report_data *data, FILE *points, FILE *script) {
    picture *p = &f->picture;
    encoder_bars bars;
    encoder_bars_find(&bars, data);
    char runs[RUNS_TEXT];
    runs_text(runs, bars.least_runs, bars.most_runs);
    snprintf(p->basis, sizeof p->basis, "sums over %s a bar", runs);
    snprintf(p->held, sizeof p->held, "%s", bars.held);
    p->frame = frame_empty(WIDTH, HEIGHT, false, false);
    encoder_bars_title(p->title, sizeof p->title, &bars);
    write_head(f, data, script);
    f->points = encoder_bars_write(p, f->plot, &bars, points, script);
}

/* ---- files */

int figure_select(figure *f, const plot *p, const report_data *data, attn_error *error) {
    *f = (figure){.plot = p};
    return p->kind == PLOT_LINES ? series_select(&f->lines, data, &p->select, error) : 0;
}

int figure_write(figure *f, const figure *all, size_t count, const report_data *data, const char *folder,
                 attn_error *error) {
    const plot *p = f->plot;
    attn_output points = {0}, script = {0};
    int result = -1;
    if (p->kind == PLOT_LINES && !f->lines.count)
        return 0;
    if (staging_open(&points, folder, p->name, ".dat", error) ||
        staging_open(&script, folder, p->name, ".gp", error))
        goto done;
    if (p->kind == PLOT_LINES)
        write_lines(f, all, count, data, points.stream, script.stream);
    else if (p->kind == PLOT_OVERVIEW)
        write_overview(f, data, points.stream, script.stream);
    else if (p->kind == PLOT_ROOFLINE)
        write_roofline(f, data, points.stream, script.stream);
    else if (p->kind == PLOT_BANDWIDTH || p->kind == PLOT_LATENCY)
        write_curves(f, data, points.stream, script.stream);
    else
        write_parts(f, data, points.stream, script.stream);
    result = 0;
    if (f->points && (attn_output_commit(&points, error) || attn_output_commit(&script, error)))
        result = -1;
done:
    attn_output_discard(&points);
    attn_output_discard(&script);
    return result;
}

void figure_free(figure *f) {
    series_free(&f->lines);
    picture_free(&f->picture);
    attn_free(f->svg);
    *f = (figure){0};
}
