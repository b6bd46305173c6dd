#include "reports/plots/machine_curves.h"

#include "base/text/append.h"
#include "harness/machine/survey.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/end_labels.h"

#include <math.h>
#include <string.h>

enum { LINES = SURVEY_STREAMS + 1, EDGE = 6 };
_Static_assert((int)SURVEY_PAGES <= (int)LINES, "a line for each size of pages");

typedef struct curve {
    char name[32];
    size_t count;
    struct {
        double bytes, value; /* in the unit of the curves */
    } at[SURVEY_SETS];
} curve;

typedef struct curves {
    const char *unit;
    size_t count;
    curve line[LINES];
} curves;

static curve *start_line(curves *c, const char *name) {
    if (c->count && c->line[c->count - 1].count < 2)
        c->count--; /* a point is no line */
    curve *line = &c->line[c->count++];
    *line = (curve){0};
    snprintf(line->name, sizeof line->name, "%s", name);
    return line;
}

static void add_point(curve *line, double bytes, double value) {
    if (isnan(value))
        return;
    line->at[line->count].bytes = bytes;
    line->at[line->count++].value = value;
}

static void find_bandwidths(curves *c, const survey *s) {
    char name[32];
    for (size_t k = 0; k < SURVEY_STREAMS; k++) {
        curve *line = start_line(c, k == SURVEY_NT_WRITE ? "write past caches" : survey_streams[k]);
        for (size_t i = 0; i < s->sets; i++)
            add_point(line, s->set[i].bytes, s->set[i].gbytes[k]);
    }
    snprintf(name, sizeof name, "read, %zu cores", s->cores);
    curve *line = start_line(c, name);
    for (size_t i = 0; i < s->sets; i++)
        add_point(line, s->set[i].bytes, s->set[i].gbytes_all[SURVEY_READ]);
}

static void find_latencies(curves *c, const survey *s) {
    static const char *const names[SURVEY_PAGES] = {"small pages", "huge pages"};
    for (size_t pages = SURVEY_PAGES; pages-- > 0;) {
        curve *line = start_line(c, names[pages]);
        for (size_t i = 0; i < s->sets; i++)
            add_point(line, s->set[i].bytes, s->set[i].latency[pages]);
    }
}

static void find_lines(curves *c, const survey *s, plot_kind kind) {
    *c = (curves){.unit = kind == PLOT_BANDWIDTH ? "GB/s" : "ns"};
    if (kind == PLOT_BANDWIDTH)
        find_bandwidths(c, s);
    else
        find_latencies(c, s);
    if (c->count && c->line[c->count - 1].count < 2)
        c->count--;
}

/* In the middle of what is drawn of the level, and off the edges, where other names stand. */
static double name_place(const plot_frame *f, const char *name, double from, double to) {
    double wide = f->width - f->left - f->right;
    double half = pow(f->x_most / f->x_least, (FRAME_LETTER * (double)strlen(name) / 2 + EDGE) / wide);
    double middle = sqrt((from > f->x_least ? from : f->x_least) * (to < f->x_most ? to : f->x_most));
    double least = f->x_least * half, most = f->x_most / half;
    return middle < least ? least : middle > most ? most : middle;
}

/* A name above where each level is flat, and a line where it ends. */
static void write_levels(FILE *script, const report_data *data, const plot_frame *f) {
    for (size_t i = 0; i < data->levels; i++) {
        double from = data->level[i].from, to = data->level[i].to;
        fprintf(script, "set label '%s' at %.10g,graph 0.96 center noenhanced font ',12' tc rgb '%s'\n",
                data->level[i].name, name_place(f, data->level[i].name, from, to), FIGURE_BOUND);
        if (i + 1 < data->levels && to > f->x_least && to < f->x_most)
            fprintf(script,
                    "set arrow from %.10g,graph 0 to %.10g,graph 1 nohead lc rgb '%s' dt (2,4) lw 1 back\n",
                    to, to, FIGURE_BOUND);
    }
}

/* With room above it, where levels have their names. */
static void hold_point(plot_frame *f, double bytes, double value) {
    frame_hold(f, bytes, value);
    frame_hold(f, bytes, 1.4 * value);
}

static void write_ticks(FILE *script, const plot_frame *f) {
    fputs("set xtics (", script);
    const char *comma = "";
    for (double bytes = 4096; bytes <= f->x_most; bytes *= 64) {
        char text[32];
        bytes_text(text, sizeof text, bytes);
        fprintf(script, "%s'%s' %.10g", comma, text, bytes);
        comma = ", ";
    }
    fputs(") rotate by 0\n", script);
}

static size_t write_points(FILE *points, picture *p, const curves *c) {
    size_t total = 0;
    for (size_t i = 0; i < c->count; i++) {
        fprintf(points, "%s# %s\n# bytes | %s\n", i ? "\n\n" : "", c->line[i].name, c->unit);
        for (size_t k = 0; k < c->line[i].count; k++, total++) {
            double bytes = c->line[i].at[k].bytes, value = c->line[i].at[k].value;
            char text[96], size[32];
            bytes_text(size, sizeof size, bytes);
            snprintf(text, sizeof text, "%s, %s: %.4g %s", c->line[i].name, size, value, c->unit);
            fprintf(points, "%.10g %.10g\n", bytes, value);
            picture_mark(p, bytes, value, text);
        }
    }
    return total;
}

static void name_lines(FILE *script, picture *p, const curves *c) {
    end_label labels[END_LABELS];
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) {
        const curve *line = &c->line[i];
        end_label_add(labels, &count, frame_y(&p->frame, line->at[line->count - 1].value), line->name,
                      figure_line_colour(i));
    }
    end_labels_fit(labels, count, &p->frame, 12);
    end_labels_write(script, labels, count);
}

/* "L1 0.92, L2 3.1, memory 110 ns a load", or GB/s read. */
static void say_levels(picture *p, const report_data *data, const survey *s, plot_kind kind) {
    for (size_t i = 0; i < data->levels; i++) {
        double value = kind == PLOT_LATENCY ? s->level[i].in.ns : s->level[i].gbytes[SURVEY_READ];
        if (!isnan(value))
            text_list(p->title, sizeof p->title, ", ", "%s %.3g", data->level[i].name, value);
    }
    if (*p->title)
        text_append(p->title, sizeof p->title, kind == PLOT_LATENCY ? " ns a load" : " GB/s read");
}

size_t machine_curves_write(picture *p, const plot *row, const report_data *data, FILE *points,
                            FILE *script) {
    survey s;
    curves c;
    char runs[RUNS_TEXT];
    survey_of(&s, data->results);
    find_lines(&c, &s, row->kind);
    if (!c.count)
        return 0;
    for (size_t i = 0; i < c.count; i++)
        for (size_t k = 0; k < c.line[i].count; k++)
            hold_point(&p->frame, c.line[i].at[k].bytes, c.line[i].at[k].value);
    frame_close(&p->frame);
    runs_text(runs, s.least_runs, s.most_runs);
    snprintf(p->basis, sizeof p->basis, "the best of %s", runs);
    say_levels(p, data, &s, row->kind);
    picture_write_head(script, p, row->name, row->title,
                       results_text(data->results, "machine.cpu", "unknown CPU"));
    name_lines(script, p, &c);
    frame_write(script, &p->frame);
    frame_write_axis_names(script, &p->frame, row->x_label, row->y_label);
    frame_write_y_ticks(script, &p->frame);
    write_ticks(script, &p->frame);
    write_levels(script, data, &p->frame);
    frame_write_start(script, &p->frame, row->name);
    for (size_t i = 0; i < c.count; i++)
        fprintf(script, "%s'%s.dat' index %zu using 1:2 with linespoints lc rgb '%s' pt 7 ps 0.5 lw 1.8",
                i ? ", \\\n     " : "plot ", row->name, i, figure_line_colour(i));
    fputs("\n", script);
    frame_write_end(script, &p->frame, row->name);
    return write_points(points, p, &c);
}
