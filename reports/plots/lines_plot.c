#include "reports/plots/lines_plot.h"

#include "base/text/append.h"
#include "reports/data/case_names.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/end_labels.h"

#include <math.h>
#include <string.h>

/* ---- what is alike */

static size_t shared_points(const series_line *a, const series_line *b) {
    size_t shared = 0;
    for (size_t i = 0; i < a->count; i++) {
        const series_point *other = series_point_at(b, a->points[i].x);
        shared += other && other->y == a->points[i].y;
    }
    return shared;
}

static bool same_points(const series_line *a, const series_line *b) {
    return a->count == b->count && shared_points(a, b) == a->count;
}

/* Whether an earlier line says it all: caches of different types may be of one size. */
static bool is_repeated(const series_lines *all, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (same_points(&all->line[i], &all->line[at]))
            return true;
    return false;
}

/* ---- the bound: what the machine allows MHA, or the first line without it */

static const series_line *bounded_line(const plot *row, const series_lines *l) {
    const series_line *mha = series_line_of(l, "mha"), *one = mha ? mha : l->count ? &l->line[0] : NULL;
    if (!row->bound || !one)
        return NULL;
    for (size_t i = 0; i < one->count; i++)
        if (!(one->points[i].from->roof > 0))
            return NULL;
    return one;
}

static double bound_at(const plot *row, const series_point *at) {
    return at->y * at->from->roof * row->scale;
}

/* ---- frame */

void lines_plot_range(const plot *row, const series_lines *l, double *least, double *most) {
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->line[i].count; k++) {
            *least = fmin(*least, l->line[i].points[k].low * row->scale);
            *most = fmax(*most, l->line[i].points[k].high * row->scale);
        }
}

static void hold_lines(plot_frame *f, const plot *row, const series_lines *l) {
    const series_line *bounded = bounded_line(row, l);
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->line[i].count; k++) {
            const series_point *at = &l->line[i].points[k];
            frame_hold(f, at->x, at->low * row->scale);
            frame_hold(f, at->x, at->high * row->scale);
        }
    for (size_t k = 0; bounded && k < bounded->count; k++)
        frame_hold(f, bounded->points[k].x, bound_at(row, &bounded->points[k]));
}

/* The smallest x that is at least `from`; infinity when there is none. */
static double next_x(const series_lines *l, double from) {
    double next = INFINITY;
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->line[i].count; k++) {
            double x = l->line[i].points[k].x;
            next = x >= from && x < next ? x : next;
        }
    return next;
}

/* Ticks where points are, as far as their numbers have room. */
static void write_ticks(FILE *script, const series_lines *l, const plot_frame *f) {
    double free_from = -INFINITY;
    const char *start = "set xtics (";
    for (double x = next_x(l, -INFINITY); x <= f->x_most; x = next_x(l, nextafter(x, INFINITY))) {
        char text[32];
        snprintf(text, sizeof text, "%.0f", x);
        if (!frame_x_tick_fits(f, x, text, 0.5, &free_from))
            continue;
        fprintf(script, "%s'%s' %.10g", start, text, x);
        start = ", ";
    }
    fputs(") rotate by 0\n", script);
}

/* ---- names at the ends */

static void label_text(char *text, size_t size, const series_line *l, const series_lines *all) {
    bool twin = false; /* another line of the type */
    for (size_t i = 0; i < all->count; i++)
        twin |= &all->line[i] != l && all->line[i].from->variant == l->from->variant;
    if (twin && *case_path(l->from->c) && l->from->c->dc && strstr(l->label, case_path(l->from->c)))
        snprintf(text, size, "%s", case_path(l->from->c));
    else if (strstr(l->label, "dc=") || strstr(l->label, "hkv="))
        case_short_name(text, size, l->from->c);
    else
        type_name(text, size, l->from->c->type);
    if (twin && strstr(l->label, l->from->c->mode))
        text_append(text, size, " %s", l->from->c->mode);
    if (!isnan(l->slope))
        text_append(text, size, " L^%.1f", l->slope);
}

static size_t make_labels(end_label labels[END_LABELS], picture *p, const plot *row, const series_lines *l) {
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        const series_line *one = &l->line[i];
        char text[48];
        label_text(text, sizeof text, one, l);
        end_label_add(labels, &count, frame_y(&p->frame, one->points[one->count - 1].y * row->scale), text,
                      figure_colour(one->from));
    }
    const series_line *bounded = bounded_line(row, l);
    if (bounded) {
        char text[CASE_NAME + 12], name[CASE_NAME];
        type_name(name, sizeof name, bounded->from->c->type);
        snprintf(text, sizeof text, "limit of %s", name);
        end_label_add(labels, &count, frame_y(&p->frame, bound_at(row, &bounded->points[bounded->count - 1])),
                      text, FIGURE_BOUND);
    }
    end_labels_fit(labels, count, &p->frame, 12);
    return count;
}

/* ---- guides of slope 1 and 2 through the lower left corner */

static void write_guides(FILE *script, const plot_frame *f) {
    for (int slope = 1; slope <= 2; slope++) {
        double x = f->x_least, y = f->y_least * 1.15, end = f->x_most;
        double top = y * pow(end / x, slope);
        if (top > f->y_most) {
            end = x * pow(f->y_most / y, 1.0 / slope);
            top = f->y_most;
        }
        fprintf(script, "set arrow from %.6g,%.6g to %.6g,%.6g nohead lc rgb '%s' dt (2,4) lw 1 back\n", x, y,
                end, top, FIGURE_GUIDE);
        fprintf(
            script,
            "set label 'slope %d' at %.6g,%.6g right offset -0.4,-0.9 noenhanced font ',11' tc rgb '%s'\n",
            slope, end, top, FIGURE_BOUND);
    }
}

/* ---- data and marks */

static void mark_point(picture *p, const plot *row, const series_point *at) {
    char text[400], name[CASE_NAME];
    const char *comma = strrchr(row->y_label, ','), *unit = comma ? comma + 2 : "";
    case_short_name(name, sizeof name, at->from->c);
    snprintf(text, sizeof text, "%s%s%s, %s %.0f: %.4g %s", name, *case_path(at->from->c) ? " " : "",
             case_path(at->from->c), row->x_name, at->x, at->y * row->scale, unit);
    if (at->low != at->high)
        text_append(text, sizeof text, " (%.4g to %.4g)", at->low * row->scale, at->high * row->scale);
    text_append(text, sizeof text, "\n%s", at->from->c->name);
    picture_mark(p, at->x, at->y * row->scale, text);
}

static size_t write_points(FILE *points, picture *p, const plot *row, const series_lines *l) {
    size_t total = 0;
    for (size_t i = 0; i < l->count; i++) {
        const series_line *one = &l->line[i];
        fprintf(points, "%s# %s\n# %s | %s | low | high | runs | case\n", i ? "\n\n" : "", one->label,
                row->x_label, row->y_label);
        for (size_t k = 0; k < one->count; k++, total++) {
            const series_point *at = &one->points[k];
            char name[256];
            figure_safe_text(name, sizeof name, at->from->c->name);
            fprintf(points, "%.10g %.10g %.10g %.10g %zu %s\n", at->x, at->y * row->scale,
                    at->low * row->scale, at->high * row->scale, at->from->runs, name);
            mark_point(p, row, at);
        }
    }
    const series_line *bounded = bounded_line(row, l);
    if (!bounded)
        return total;
    fprintf(points, "\n\n# limit of %s\n# %s | %s\n", bounded->label, row->x_label, row->y_label);
    for (size_t k = 0; k < bounded->count; k++)
        fprintf(points, "%.10g %.10g\n", bounded->points[k].x, bound_at(row, &bounded->points[k]));
    return total;
}

/* Lines of one type share its colour and differ by dashes and hollow points. A line that runs over
 * another one is dashed, so that both are seen. */
static void write_plot(FILE *script, const plot *row, const series_lines *l) {
    static const char *const dashes[] = {"1", "(8,5)", "(3,4)", "(12,4,3,4)"};
    const char *start = "plot ";
    size_t twins = 0;
    if (bounded_line(row, l)) {
        fprintf(script, "%s'%s.dat' index %zu using 1:2 with lines lc rgb '%s' dt (4,4) lw 1.5", start,
                row->name, l->count, FIGURE_BOUND);
        start = ", \\\n     ";
    }
    for (size_t i = 0; i < l->count; i++) {
        const series_line *one = &l->line[i];
        bool over = false;
        twins = i && one->from->variant == l->line[i - 1].from->variant ? twins + 1 : 0;
        for (size_t k = 0; k < i; k++)
            over |= shared_points(one, &l->line[k]) > 0;
        if (is_repeated(l, i))
            continue;
        fprintf(script, "%s'%s.dat' index %zu using 1:2:3:4 with yerrorlines lc rgb '%s' pt %d dt %s lw 1.8",
                start, row->name, i, figure_colour(one->from), figure_point_type(one->from) - (twins > 0),
                dashes[over && !twins ? 1 : twins % 4]);
        start = ", \\\n     ";
    }
    fputs("\n", script);
}

size_t lines_plot_write(picture *p, const plot *row, const series_lines *l, FILE *points, FILE *script) {
    end_label labels[END_LABELS];
    hold_lines(&p->frame, row, l);
    frame_close(&p->frame);
    size_t count = make_labels(labels, p, row, l);
    size_t total = write_points(points, p, row, l);
    frame_write(script, &p->frame);
    frame_write_axis_names(script, &p->frame, row->x_label, row->y_label);
    write_ticks(script, l, &p->frame);
    frame_write_y_ticks(script, &p->frame);
    if (row->guides)
        write_guides(script, &p->frame);
    end_labels_write(script, labels, count);
    frame_write_start(script, &p->frame, row->name);
    write_plot(script, row, l);
    frame_write_end(script, &p->frame, row->name);
    return total;
}
