#include "reports/fleet/fleet_lines.h"

#include "attn/alloc.h"
#include "reports/fleet/compared.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/plots.h"

#include <math.h>
#include <string.h>

/* Readable on white and on black; machines in excess share them. */
static const char *const colours[FLEET_MAX] = {"#3b82d6", "#d9730d", "#2c9c62", "#9d63d8",
                                               "#d4456c", "#8d8150", "#0f9fb0", "#b0540f",
                                               "#5f7f1f", "#5f4fc8", "#a03060", "#606870"};
static const int point_types[] = {7, 5};
enum { HEIGHT = 460 };

static void write_head(FILE *script, const char *name, const char *title, size_t height, const char *x,
                       const char *y) {
    fprintf(script,
            "# gnuplot %s.gp draws %s.svg, .png and .pdf from %s.dat\nset encoding utf8\n"
            "set terminal svg size 640,%zu noenhanced font 'sans-serif,14' name '%s' background 'white'\n"
            "set output '%s.svg'\nset title '%s'\nset xlabel '%s'\nset ylabel '%s'\n"
            "set border 3\nset tics nomirror\nset grid lt 1 lw 0.5 lc rgb '#a0a0a0'\n"
            "set key below center horizontal Left reverse samplen 2 height 1 font ',12'\nset pointsize 0.8\n",
            name, name, name, height, name, name, title, x, y);
}

static void write_tail(FILE *script, const char *name, size_t height) {
    fprintf(script,
            "\nset terminal pngcairo size 1280,%zu noenhanced font 'Sans,14' fontscale 1.8 linewidth 2 "
            "pointscale 2\n"
            "set output '%s.png'\nreplot\n"
            "set terminal pdfcairo size 15cm,%.1fcm noenhanced font 'Sans,10'\nset output '%s.pdf'\nreplot\n",
            2 * height, name, 15 * (double)height / 640, name);
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
static void write_speeds(FILE *points, const fleet *f, size_t machine, json_t *groups) {
    const char *group;
    json_t *unused;
    size_t number = 0, common;
    json_object_foreach(groups, group, unused) {
        double speed = fleet_speed(&common, f, machine, group, FLEET_TIME);
        fprintf(points, isnan(speed) ? "-%zu \"%s\" NaN\n" : "-%zu \"%s\" %.6g\n", number++, group, speed);
    }
}

int fleet_write_speed(fleet_figure *drawn, const fleet *f, FILE *points, FILE *script, attn_error *error) {
    json_t *groups = groups_of(f);
    if (!groups)
        return attn_no_memory(error, drawn->name);
    size_t count = json_object_size(groups), height = 160 + 20 * count;
    write_head(script, drawn->name, drawn->title, height, "speed, × base (logarithmic)", "");
    fprintf(script,
            "set logscale x 2\nset xrange [*<0.95:1.05<*]\nset yrange [%g:0.5]\nset ytics font ',12'\n"
            "set arrow from 1, graph 0 to 1, graph 1 nohead dt 2 lc rgb '#808080'\nplot ",
            0.5 - (double)count);
    for (size_t i = 0; count && i < f->count; i++) {
        char name[FLEET_NAME];
        if (i == f->base)
            continue;
        figure_safe_text(name, sizeof name, f->machine[i].name);
        fprintf(points, "%s# %s\n# number | group | speed\n", drawn->lines ? "\n\n" : "", name);
        write_speeds(points, f, i, groups);
        fprintf(script,
                "%s'%s.dat' index %zu using 3:1:yticlabels(2) with points pt 7 ps 1.2 lc rgb '%s' title '%s'",
                drawn->lines ? ", \\\n     " : "", drawn->name, drawn->lines, colours[i], name);
        drawn->lines++;
    }
    write_tail(script, drawn->name, height);
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

static void write_line(fleet_figure *drawn, const fleet *f, size_t machine, const series_line *line,
                       size_t type, const plot *p, FILE *points, FILE *script) {
    char name[FLEET_NAME];
    figure_safe_text(name, sizeof name, f->machine[machine].name);
    fprintf(points, "%s# %s, %s\n# %s | %s | low | high\n", drawn->lines ? "\n\n" : "", name, line->label,
            p->x_label, p->y_label);
    for (size_t k = 0; k < line->count; k++)
        fprintf(points, "%.10g %.10g %.10g %.10g\n", line->points[k].x, line->points[k].y * p->scale,
                line->points[k].low * p->scale, line->points[k].high * p->scale);
    fprintf(script,
            "%s'%s.dat' index %zu using 1:2 with linespoints lw 1.5 pt %d dt %zu lc rgb '%s' title '%s, %s'",
            drawn->lines ? ", \\\n     " : "plot ", drawn->name, drawn->lines, point_types[type], type + 1,
            colours[machine], name, line->label);
    drawn->lines++;
}

int fleet_write_plot(fleet_figure *drawn, const fleet *f, const char *plot_name, FILE *points, FILE *script,
                     attn_error *error) {
    static const char *const types[] = {"mha", "mla"};
    const plot *p = plot_named(plot_name);
    write_head(script, drawn->name, drawn->title, HEIGHT, p->x_label, p->y_label);
    fputs("set logscale xy\n", script);
    for (size_t i = 0; p->name && i < f->count; i++) {
        series_lines lines;
        if (series_select(&lines, &f->machine[i].data, &p->select, error))
            return -1;
        if (lines.count && !*drawn->held)
            snprintf(drawn->held, sizeof drawn->held, "%s", lines.held);
        /* Held at other values, a line cannot stand next to the others. */
        for (size_t t = 0; t < sizeof types / sizeof *types && !strcmp(drawn->held, lines.held); t++) {
            const series_line *line = series_line_of(&lines, types[t]);
            if (line)
                write_line(drawn, f, i, line, t, p, points, script);
        }
        series_free(&lines);
    }
    write_tail(script, drawn->name, HEIGHT);
    return 0;
}
