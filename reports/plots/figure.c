#include "reports/plots/figure.h"

#include "base/text/append.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/roofline.h"
#include "reports/tables/encoder_section.h"

#include <math.h>
#include <string.h>

/* Titles are in gnuplot's enhanced text, where an underscore would start a subscript, and an @ take no room. */
static void write_title(FILE *script, const char *text) {
    for (const char *c = text; *c; c++)
        fprintf(script, "%s%c", *c == '_' || *c == '@' ? "\\\\" : "", *c);
}

/* Pixels of the SVG; the PNG has twice as many. Long legends take room. */
static int svg_height(const plot *p) {
    return p->roofline || p->select.slope ? 500 : 430;
}

static void write_head(FILE *script, const figure *f, const report_data *data) {
    char cpu[72];
    const plot *p = f->plot;
    figure_safe_text(cpu, sizeof cpu, results_text(data->results, "machine.cpu", "unknown CPU"));
    fprintf(script,
            "# gnuplot %s.gp draws %s.svg, .png and .pdf from %s.dat\n"
            "set encoding utf8\n"
            "set terminal svg size 480,%d enhanced font 'sans-serif,14' name '%s' background 'white'\n"
            "set output '%s.svg'\nset title \"",
            p->name, p->name, p->name, svg_height(p), p->name, p->name);
    write_title(script, p->title);
    fputs("\\n{/*0.8 ", script);
    write_title(script, cpu);
    fputs("}\\n{/*0.8 ", script);
    write_title(script, f->basis);
    fprintf(script, "}\" enhanced\nset xlabel '%s' noenhanced\nset ylabel '%s' noenhanced\n", p->x_label,
            p->y_label);
    fputs("set border 3\nset tics nomirror\nset grid lt 1 lw 0.5 lc rgb '#a0a0a0'\n"
          "set key below center horizontal Left reverse noenhanced samplen 2 height 1 font ',12'\n"
          "set pointsize 0.8\n",
          script);
    if (p->log_x)
        fputs("set logscale x\n", script);
    if (p->log_y)
        fputs("set logscale y\n", script);
    else
        fputs("set yrange [0:*]\n", script);
}

static void write_tail(FILE *script, const plot *p) {
    fprintf(
        script,
        "set terminal pngcairo size 960,%d enhanced font 'Sans,14' fontscale 1.8 linewidth 2 pointscale 2\n"
        "set output '%s.png'\nreplot\n"
        "set terminal pdfcairo size 12.7cm,%.1fcm enhanced font 'Sans,10'\nset output '%s.pdf'\nreplot\n",
        2 * svg_height(p), p->name, 12.7 * svg_height(p) / 480, p->name);
}

static void x_range(double *least, double *most, const series_lines *l) {
    *least = INFINITY, *most = -INFINITY;
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->line[i].count; k++) {
            *least = fmin(*least, l->line[i].points[k].x);
            *most = fmax(*most, l->line[i].points[k].x);
        }
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

/* Ticks where points are, as far as they have room. */
static void write_ticks(FILE *script, const series_lines *l, bool log_x) {
    double least, most;
    x_range(&least, &most, l);
    double gap = (most - least) / 15, margin = log_x ? pow(most / least, 0.05) : (most - least) * 0.05;
    fputs("set xtics (", script);
    for (double x = least; x <= most; x = next_x(l, log_x ? x * 1.4 : x + gap))
        fprintf(script, "%s'%.0f' %.0f", x > least ? ", " : "", x, x);
    fprintf(script, ") rotate by 0\nset xrange [%g:%g]\n", log_x ? least / margin : least - margin,
            log_x ? most * margin : most + margin);
}

/* A logarithmic axis of less than two decades gets 1, 2 and 5 of each. */
static void write_y_ticks(FILE *script, const figure *f) {
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < f->lines.count; i++)
        for (size_t k = 0; k < f->lines.line[i].count; k++) {
            least = fmin(least, f->lines.line[i].points[k].low * f->plot->scale);
            most = fmax(most, f->lines.line[i].points[k].high * f->plot->scale);
        }
    if (!f->plot->log_y || !(least > 0))
        return;
    static const double wide[] = {1, 2, 5, 0}, narrow[] = {1, 1.5, 2, 3, 4, 5, 7, 0};
    least /= 1.25, most *= 1.25;
    fprintf(script, "set yrange [%g:%g]\n", least, most);
    if (most / least >= 1000)
        return;
    const double *steps = most / least < 10 ? narrow : wide;
    fputs("set ytics (", script);
    const char *comma = "";
    for (double decade = pow(10, floor(log10(least))); decade <= most; decade *= 10)
        for (size_t i = 0; steps[i] > 0; i++)
            if (decade * steps[i] >= least && decade * steps[i] <= most) {
                fprintf(script, "%s%g", comma, decade * steps[i]);
                comma = ", ";
            }
    fputs(")\n", script);
}

static void write_points(FILE *points, const figure *f) {
    const plot *p = f->plot;
    for (size_t i = 0; i < f->lines.count; i++) {
        const series_line *l = &f->lines.line[i];
        fprintf(points, "%s# %s\n# %s | %s | low | high | runs | case\n", i ? "\n\n" : "", l->label,
                p->x_label, p->y_label);
        for (size_t k = 0; k < l->count; k++) {
            const series_point *at = &l->points[k];
            char name[256];
            figure_safe_text(name, sizeof name, at->from->c->name);
            fprintf(points, "%.10g %.10g %.10g %.10g %zu %s\n", at->x, at->y * p->scale, at->low * p->scale,
                    at->high * p->scale, at->from->runs, name);
        }
    }
}

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

/* Its own name, its slope, and the names of later lines that are the same. */
static void write_name(FILE *script, const series_lines *all, size_t at) {
    const series_line *l = &all->line[at];
    fputs(l->label, script);
    for (size_t i = at + 1; i < all->count; i++)
        if (same_points(l, &all->line[i]))
            fprintf(script, " = %s", all->line[i].label);
    if (!isnan(l->slope))
        fprintf(script, ", slope %.2f", l->slope);
}

/* Lines of one type share its colour and differ by dashes and hollow points. A line that runs over
 * another one is dashed, so that both are seen. */
static void write_plot(FILE *script, const figure *f) {
    static const char *const dashes[] = {"1", "(8,5)", "(3,4)", "(12,4,3,4)"};
    size_t twins = 0;
    for (size_t i = 0; i < f->lines.count; i++) {
        const series_line *l = &f->lines.line[i];
        bool over = false;
        twins = i && l->from->variant == f->lines.line[i - 1].from->variant ? twins + 1 : 0;
        for (size_t k = 0; k < i; k++)
            over |= shared_points(l, &f->lines.line[k]) > 0;
        if (is_repeated(&f->lines, i))
            continue;
        fprintf(script,
                "%s'%s.dat' index %zu using 1:2:3:4 with yerrorlines lc rgb '%s' pt %d dt %s lw 1.8 title '",
                i ? ", \\\n     " : "plot ", f->plot->name, i, figure_colour(l->from),
                figure_point_type(l->from) - (twins > 0), dashes[over && !twins ? 1 : twins % 4]);
        write_name(script, &f->lines, i);
        fputs("'", script);
    }
    fputs("\n", script);
}

static void write_lines(figure *f, const report_data *data, FILE *points, FILE *script) {
    if (f->plot->select.y == QUANTITY_CACHE_BYTES)
        snprintf(f->basis, sizeof f->basis, "as allocated, the same in all of %zu runs or more",
                 f->lines.least_runs);
    else
        measured_basis(f->basis, sizeof f->basis, f->lines.least_runs, f->lines.most_runs, f->lines.interval);
    write_points(points, f);
    write_head(script, f, data);
    write_ticks(script, &f->lines, f->plot->log_x);
    write_y_ticks(script, f);
    write_plot(script, f);
    for (size_t i = 0; i < f->lines.count; i++)
        f->points += f->lines.line[i].count;
}

/* The one plot in which cases of different positions may stand together. */
static void name_positions(char *text, size_t size, const report_data *data) {
    snprintf(text, size, "pos");
    for (size_t p = 0; attn_pos_enc_names[p]; p++)
        for (size_t i = 0; i < data->count; i++) {
            const results_case *c = data->cases[i].c;
            if (strcmp(c->kind, "attention") || strcmp(c->pos, attn_pos_enc_names[p]))
                continue;
            text_append(text, size, "%s %s", strlen(text) > 3 ? "," : "", c->pos);
            break;
        }
}

static void write_roofline(figure *f, const report_data *data, FILE *points, FILE *script) {
    size_t least = 0, most = 0;
    for (size_t i = 0; i < data->count; i++) {
        size_t runs = data->cases[i].runs;
        least = least && least < runs ? least : runs;
        most = most > runs ? most : runs;
    }
    snprintf(f->basis, sizeof f->basis, "median of %zu to %zu runs", least, most);
    if (least == most)
        snprintf(f->basis, sizeof f->basis, "median of %zu runs", most);
    write_head(script, f, data);
    name_positions(f->lines.held, sizeof f->lines.held, data);
    f->points = roofline_write(points, script, data);
}

static void write_parts(figure *f, const report_data *data, FILE *points, FILE *script) {
    encoder_bars bars;
    encoder_bars_find(&bars, data);
    snprintf(f->basis, sizeof f->basis, "sums over %zu to %zu runs a bar", bars.least_runs, bars.most_runs);
    if (bars.least_runs == bars.most_runs)
        snprintf(f->basis, sizeof f->basis, "sums over %zu runs a bar", bars.most_runs);
    snprintf(f->lines.held, sizeof f->lines.held, "%s", bars.held);
    write_head(script, f, data);
    encoder_bars_write(points, script, &bars);
    f->points = bars.count;
}

static int open_in(attn_output *output, const char *folder, const plot *p, const char *extension,
                   attn_error *error) {
    char *path = attn_format(error, "%s/%s.%s", folder, p->name, extension);
    int result = path ? attn_output_open(output, path, error) : -1;
    attn_free(path);
    return result;
}

int figure_write(figure *f, const plot *p, const report_data *data, const char *folder, attn_error *error) {
    *f = (figure){.plot = p};
    attn_output points = {0}, script = {0};
    int result = -1;
    if (!p->roofline && !p->parts && series_select(&f->lines, data, &p->select, error))
        return -1;
    if (!p->roofline && !p->parts && !f->lines.count)
        return 0;
    if (open_in(&points, folder, p, "dat", error) || open_in(&script, folder, p, "gp", error))
        goto done;
    if (p->roofline)
        write_roofline(f, data, points.stream, script.stream);
    else if (p->parts)
        write_parts(f, data, points.stream, script.stream);
    else
        write_lines(f, data, points.stream, script.stream);
    write_tail(script.stream, p);
    result = 0;
    if (f->points && (attn_output_commit(&points, error) || attn_output_commit(&script, error)))
        result = -1;
done:
    attn_output_discard(&points);
    attn_output_discard(&script);
    if (result)
        figure_free(f);
    return result;
}

void figure_free(figure *f) {
    series_free(&f->lines);
    attn_free(f->svg);
    *f = (figure){0};
}
