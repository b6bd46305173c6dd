#include "reports/study/pictures/study_picture.h"

#include "attn/file.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/end_labels.h"
#include "reports/plots/run/staging.h"
#include "reports/study/study_label.h"

#include <math.h>
#include <string.h>

static const char *const level_names[] = {"attention off", "no attention"};

static double shown(double y, const study_picture *p) {
    static const double least = 0.05; /* zero has no place on a logarithmic axis */
    return p->y && !strcmp(p->y, "wer_percent") && y < least ? least : y;
}

static measured style_of(const study_line *line) {
    return (measured){.variant = attn_variant_find(line->type)};
}

static const char *colour_of(const study_line *line) {
    const measured style = style_of(line);
    return !strcmp(line->origin, "without_attention") ? FIGURE_BOUND : figure_colour(&style);
}

/* Types of one cache stand a little apart, so that all of their bars are seen. */
static double aside(const study_picture *p, const study_line *line) {
    static const double step = 1.035;
    int place = 0;
    while (attn_variants[place] && strcmp(attn_variants[place]->name, line->type) != 0)
        place++;
    return p->log_x ? pow(step, place - 2) : 1;
}

static double x_of(const study_picture *p, const study_line *line, size_t k) {
    return line->x[k] * p->x_scale * aside(p, line);
}

void study_picture_hold(plot_frame *f, const study_picture *p, const study_lines *l) {
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->at[i].count; k++) {
            const study_line *line = &l->at[i];
            double x = x_of(p, line, k);
            frame_hold(f, x, shown(line->y[k], p));
            frame_hold(f, x, shown(line->low[k], p));
            frame_hold(f, x, shown(line->high[k], p));
        }
    for (size_t i = 0; i < 2 && l->count; i++)
        frame_hold(f, x_of(p, &l->at[0], 0), shown(l->level[i], p));
}

/* ---- data and marks */

static void mark_point(picture *look, const study_picture *p, const study_line *line, size_t k) {
    char text[400], name[64];
    const json_t *row = line->row[k];
    study_short_name(name, sizeof name, row);
    snprintf(text, sizeof text, "%s, %s, %.0f epochs", name, json_text(row, "origin"),
             json_number(row, "epochs_in_all"));
    text_append(text, sizeof text, ": %s %.4g", p->y_label, line->y[k]);
    if (!isnan(line->low[k]))
        text_append(text, sizeof text, " (%.4g to %.4g)", line->low[k], line->high[k]);
    text_append(text, sizeof text, "; %s %.4g\n%s", p->x_label, line->x[k] * p->x_scale,
                json_text(row, "kind"));
    picture_mark(look, x_of(p, line, k), shown(line->y[k], p), text);
}

static void write_data(FILE *out, picture *look, const study_lines *l, const study_picture *p) {
    for (size_t i = 0; i < l->count; i++) {
        const study_line *line = &l->at[i];
        fprintf(out, "%s# %s\n# %s | %s | low | high\n", i ? "\n\n" : "", line->title, p->x_label,
                p->y_label);
        for (size_t k = 0; k < line->count; k++) {
            double y = shown(line->y[k], p);
            bool interval = !isnan(line->low[k]);
            fprintf(out, "%.9g %.9g %.9g %.9g\n", x_of(p, line, k), y, interval ? shown(line->low[k], p) : y,
                    interval ? shown(line->high[k], p) : y);
            mark_point(look, p, line, k);
        }
    }
}

/* ---- script */

/* The first line of its type has the type's solid mark; others are hollow and dashed. */
static bool is_second(const study_lines *l, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (!strcmp(l->at[i].type, l->at[at].type))
            return true;
    return false;
}

static size_t make_labels(end_label labels[END_LABELS], plot_frame *f, const study_picture *p,
                          const study_lines *l) {
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        const study_line *line = &l->at[i];
        if (p->x && is_second(l, i) && !strcmp(line->title, l->at[i - 1].title))
            continue;
        end_label_add(labels, &count, frame_y(f, shown(line->y[line->count - 1], p)), line->title,
                      colour_of(line));
    }
    for (size_t i = 0; i < 2; i++)
        if (!isnan(l->level[i]))
            end_label_add(labels, &count, frame_y(f, shown(l->level[i], p)), level_names[i], FIGURE_BOUND);
    end_labels_fit(labels, count, f, 20);
    return count;
}

/* The smallest x that is at least `from`; infinity when there is none. */
static double next_x(const study_lines *l, double from) {
    double next = INFINITY;
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->at[i].count; k++)
            next = l->at[i].x[k] >= from && l->at[i].x[k] < next ? l->at[i].x[k] : next;
    return next;
}

/* Ticks where points are, as far as their numbers have room. */
static void write_ticks(FILE *script, const study_picture *p, const study_lines *l, const plot_frame *f) {
    double free_from = -INFINITY;
    const char *start = "set xtics (";
    for (double x = next_x(l, -INFINITY); isfinite(x); x = next_x(l, nextafter(x, INFINITY))) {
        char text[32];
        snprintf(text, sizeof text, "%.3g", x * p->x_scale);
        if (!frame_x_tick_fits(f, x * p->x_scale, text, 1, &free_from))
            continue;
        fprintf(script, "%s'%s' %.10g", start, text, x * p->x_scale);
        start = ", ";
    }
    fputs(")\n", script);
}

/* Four or five of them, where gnuplot's own would touch each other. */
static void write_even_ticks(FILE *script, const plot_frame *f) {
    double step = pow(10, floor(log10((f->x_most - f->x_least) / 2))), span = f->x_most - f->x_least;
    while (span / step > 5)
        step *= span / step > 10 ? 5 : 2;
    fprintf(script, "set xtics %.10g\n", step);
}

/* A control of twice the epochs has the same cache: no line leads from one to the other. */
static bool is_joined(const study_picture *p, const study_line *line) {
    return p->marks == STUDY_JOINED && strcmp(p->x ? line->type : "", "mha") != 0;
}

static void write_line(FILE *out, const study_lines *l, size_t i, const study_picture *p, const char *name) {
    const study_line *line = &l->at[i];
    const measured style = style_of(line);
    static const char *const dashes[STUDY_GROUPS] = {"1", "(6,4)", "(2,3)"};
    bool second = p->x && is_second(l, i), bars = p->y && !strcmp(p->y, "wer_percent");
    fprintf(out, "'%s.dat' index %zu using %s with %s lc rgb '%s' pt %d dt %s lw %s, \\\n     ", name, i,
            bars ? "1:2:3:4" : "1:2",
            bars ? (is_joined(p, line) ? "yerrorlines" : "yerrorbars")
                 : (is_joined(p, line) ? "linespoints" : "points"),
            colour_of(line), figure_point_type(&style) - second,
            p->group == STUDY_GROUPS ? dashes[line->group]
            : second                 ? "(6,4)"
                                     : "1",
            p->x ? "1.6" : "1.3");
}

static void write_plot(FILE *out, const study_lines *l, const study_picture *p, const char *name) {
    fputs("plot ", out);
    for (size_t i = 0; i < 2; i++)
        if (!isnan(l->level[i]))
            fprintf(out, "%.9g with lines lc rgb '" FIGURE_BOUND "' dt (4,4) lw 1.5, \\\n     ", l->level[i]);
    for (size_t i = 0; i < l->count; i++)
        write_line(out, l, i, p, name);
    fputs("NaN notitle\n", out);
}

int study_picture_write(picture *look, const study_picture *p, const study_lines *l, const char *name,
                        const char *subtitle, const char *whose, const char *folder, attn_error *error) {
    attn_output data = {0}, script = {0};
    end_label labels[END_LABELS];
    size_t count = make_labels(labels, &look->frame, p, l);
    int failed =
        staging_open(&data, folder, name, ".dat", error) || staging_open(&script, folder, name, ".gp", error);
    if (!failed) {
        write_data(data.stream, look, l, p);
        picture_write_head(script.stream, look, name, subtitle, whose);
        frame_write(script.stream, &look->frame);
        frame_write_axis_names(script.stream, &look->frame, p->x_label, p->y_label);
        frame_write_y_ticks(script.stream, &look->frame);
        if (p->log_x || !p->x)
            write_ticks(script.stream, p, l, &look->frame);
        else
            write_even_ticks(script.stream, &look->frame);
        end_labels_write(script.stream, labels, count);
        frame_write_start(script.stream, &look->frame, name);
        write_plot(script.stream, l, p, name);
        frame_write_end(script.stream, &look->frame, name);
        failed = attn_output_commit(&data, error) || attn_output_commit(&script, error);
    }
    attn_output_discard(&data);
    attn_output_discard(&script);
    return failed ? -1 : 0;
}
