#include "reports/fleet/fleet_lines.h"

#include "attn/alloc.h"
#include "reports/fleet/compared.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/frame.h"
#include "reports/plots/plots.h"

#include <math.h>
#include <string.h>

enum { LINE = 20 };
static const int point_types[] = {7, 5};

/* The names of what is shown stand below the axis, a line each. */
static void write_head(FILE *script, const fleet_figure *drawn, plot_frame *f, size_t names, const char *x,
                       const char *y) {
    f->low += (double)(LINE * names);
    f->height += (int)(LINE * names);
    frame_write_head(script, drawn->name);
    fprintf(script,
            "set title '%s' noenhanced\n"
            "set border 3 lc rgb '#808080'\nset tics nomirror textcolor rgb 'black'\n"
            "set grid lt 1 lw 0.5 lc rgb '#d0d0d0'\nset pointsize 0.9\n"
            "set key at screen 0.5, screen 0.01 bottom center vertical maxcols 1 Left reverse noenhanced "
            "samplen 2 "
            "font ',12'\n",
            drawn->title);
    frame_write(script, f);
    frame_write_axis_names(script, f, x, y);
}

/* ---- speed against the base */

static json_t *groups_of(const fleet *f) {
    json_t *groups = json_object();
    for (size_t i = 0; groups && i < f->cases; i++) {
        char group[96];
        const measured *base = f->list[i].of[f->base];
        if (!base)
            continue;
        fleet_group(group, sizeof group, base->c);
        if (json_object_set_new(groups, group, json_true())) {
            json_decref(groups);
            return NULL;
        }
    }
    return groups;
}

/* From top to bottom, so that the names can be read. */
static void write_speeds(fleet_figure *drawn, FILE *points, plot_frame *frame, const fleet *f, size_t machine,
                         json_t *groups) {
    const char *group;
    char name[FLEET_NAME];
    json_t *unused;
    size_t number = 0, common;
    figure_safe_text(name, sizeof name, f->machine[machine].name);
    fprintf(points, "%s# %s\n# number | group | speed\n", drawn->lines++ ? "\n\n" : "", name);
    json_object_foreach(groups, group, unused) {
        double speed = fleet_speed(&common, f, machine, group, FLEET_TIME);
        frame_hold(frame, speed, 0);
        fprintf(points, isnan(speed) ? "-%zu \"%s\" NaN\n" : "-%zu \"%s\" %.6g\n", number++, group, speed);
    }
}

static void draw_speeds(const fleet_figure *drawn, FILE *script, const fleet *f) {
    size_t at = 0;
    for (size_t i = 0; i < f->count; i++) {
        char name[FLEET_NAME];
        if (i == f->base)
            continue;
        figure_safe_text(name, sizeof name, f->machine[i].name);
        fprintf(script,
                "%s'%s.dat' index %zu using 3:1:yticlabels(2) with points pt 7 ps 1.1 lc rgb '%s' title '%s'",
                at ? ", \\\n     " : "plot ", drawn->name, at, figure_line_colour(i), name);
        at++;
    }
    fputs("\n", script);
}

int fleet_write_speed(fleet_figure *drawn, const fleet *f, FILE *points, FILE *script, attn_error *error) {
    json_t *groups = groups_of(f);
    if (!groups)
        return attn_no_memory(error, drawn->name);
    size_t count = json_object_size(groups);
    plot_frame frame = frame_empty(520, 90 + LINE * (int)count, true, false);
    frame_hold(&frame, 1, 0);
    for (size_t i = 0; count && i < f->count; i++)
        if (i != f->base)
            write_speeds(drawn, points, &frame, f, i, groups);
    frame_close(&frame);
    frame.left = 200;
    frame.y_least = 0.5 - (double)count;
    frame.y_most = 0.5;
    write_head(script, drawn, &frame, drawn->lines, "speed, × base (logarithmic)", "");
    fprintf(script,
            "set logscale x 2\nset ytics font ',12' noenhanced\n"
            "set xtics (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.2, 1.5, 2, 3, 5, 7, 10)\nset arrow from 1, graph 0 to "
            "1, graph 1 nohead dt 2 lc "
            "rgb '%s'\n",
            FIGURE_BOUND);
    frame_write_start(script, &frame, drawn->name);
    draw_speeds(drawn, script, f);
    frame_write_end(script, &frame, drawn->name);
    json_decref(groups);
    return 0;
}

/* ---- one of the report's plots */

static const plot *plot_named(const char *name) {
    const plot *p = plots;
    while (p->name && strcmp(p->name, name) != 0)
        p++;
    return p;
}

/* The lines of all machines, and which of them can stand next to each other. */
typedef struct all_lines {
    series_lines of[FLEET_MAX];
    const series_line *line[FLEET_MAX * 2];
    size_t machine[FLEET_MAX * 2], type[FLEET_MAX * 2], count;
} all_lines;

static int select_lines(all_lines *all, fleet_figure *drawn, const fleet *f, const plot *p,
                        attn_error *error) {
    static const char *const types[] = {"mha", "mla"};
    for (size_t i = 0; p->name && i < f->count; i++) {
        series_lines *own = &all->of[i];
        if (series_select(own, &f->machine[i].data, &p->select, error))
            return -1;
        if (own->count && !*drawn->held)
            snprintf(drawn->held, sizeof drawn->held, "%s", own->held);
        for (size_t t = 0; t < 2 && !strcmp(drawn->held, own->held); t++) {
            all->line[all->count] = series_line_of(own, types[t]);
            all->machine[all->count] = i;
            all->type[all->count] = t;
            all->count += all->line[all->count] != NULL;
        }
    }
    return 0;
}

static void write_lines(FILE *points, plot_frame *frame, const all_lines *all, const fleet *f,
                        const plot *p) {
    for (size_t n = 0; n < all->count; n++) {
        const series_line *line = all->line[n];
        char name[FLEET_NAME];
        figure_safe_text(name, sizeof name, f->machine[all->machine[n]].name);
        fprintf(points, "%s# %s, %s\n# %s | %s | low | high\n", n ? "\n\n" : "", name, line->from->c->type,
                p->x_label, p->y_label);
        for (size_t k = 0; k < line->count; k++) {
            frame_hold(frame, line->points[k].x, line->points[k].y * p->scale);
            fprintf(points, "%.10g %.10g %.10g %.10g\n", line->points[k].x, line->points[k].y * p->scale,
                    line->points[k].low * p->scale, line->points[k].high * p->scale);
        }
    }
}

static void draw_lines(const fleet_figure *drawn, FILE *script, const all_lines *all, const fleet *f) {
    for (size_t n = 0; n < all->count; n++) {
        char name[FLEET_NAME];
        figure_safe_text(name, sizeof name, f->machine[all->machine[n]].name);
        fprintf(
            script,
            "%s'%s.dat' index %zu using 1:2 with linespoints lw 1.5 pt %d dt %zu lc rgb '%s' title '%s, %s'",
            n ? ", \\\n     " : "plot ", drawn->name, n, point_types[all->type[n]], all->type[n] + 1,
            figure_line_colour(all->machine[n]), name, all->line[n]->from->c->type);
    }
    fputs("\n", script);
}

int fleet_write_plot(fleet_figure *drawn, const fleet *f, const char *plot_name, FILE *points, FILE *script,
                     attn_error *error) {
    const plot *p = plot_named(plot_name);
    plot_frame frame = frame_empty(520, 340, true, true);
    all_lines *all = attn_alloc(1, sizeof *all, "lines of a plot", error);
    int result = all ? select_lines(all, drawn, f, p, error) : -1;
    if (!result) {
        drawn->lines = all->count;
        write_lines(points, &frame, all, f, p);
        double first = frame.x_least;
        frame_close(&frame);
        write_head(script, drawn, &frame, all->count, p->name ? p->x_label : "",
                   p->name ? p->y_label : "time");
        frame_write_y_ticks(script, &frame);
        if (all->count)
            fprintf(script, "set xtics %g,2\nset mxtics 1\n", first); /* doublings */
        frame_write_start(script, &frame, drawn->name);
        draw_lines(drawn, script, all, f);
        frame_write_end(script, &frame, drawn->name);
    }
    for (size_t i = 0; all && i < f->count; i++)
        series_free(&all->of[i]);
    attn_free(all);
    return result;
}
