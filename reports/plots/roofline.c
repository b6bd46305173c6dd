#include "reports/plots/roofline.h"

#include "reports/data/case_names.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/end_labels.h"

#include <string.h>

enum { SHOWN_BANDWIDTHS = 4 };

/* Colour shows the type; shape the mode, and whether it is a layer or a whole encoder, so that the legend has
 * a handful of entries and not each combination. */
typedef struct shape {
    const char *kind, *mode, *title; /* NULL: that of a layer, hollow */
    int point_type;
} shape;
static const shape shapes[] = {{"attention", "prefill", "prefill", 7}, {"attention", "chunk", "chunk", 9},
                               {"attention", "decode", "decode", 5},   {"encoder", "prefill", NULL, 6},
                               {"encoder", "chunk", NULL, 8},          {"encoder", "decode", NULL, 4}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Of one core, or of all that were measured together. */
static const machine_roofs *roofs_of(const plot *row, const report_data *data) {
    return row->all_cores ? &data->roofs_all : &data->roofs;
}

static bool on_plot(const measured *m, const machine_roofs *roofs) {
    return results_is_model(m->c) && m->gflops > 0 && m->c->bytes > 0 && m->c->t == roofs->threads;
}

static void mark_case(picture *p, const measured *m) {
    char text[400], name[CASE_NAME];
    case_short_name(name, sizeof name, m->c);
    snprintf(text, sizeof text, "%s, %s: %.3g GFLOP/s, %.3g%% of its roof\n%s", name, m->c->mode, m->gflops,
             100 * m->roof, m->c->name);
    picture_mark(p, m->c->flops / m->c->bytes, m->gflops, text);
}

static size_t write_block(FILE *points, picture *p, const report_data *data, const machine_roofs *roofs,
                          const attn_variant *variant, const shape *s, size_t block, const measured **like) {
    size_t count = 0;
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        char name[256];
        if (!on_plot(m, roofs) || m->variant != variant || strcmp(m->c->kind, s->kind) ||
            strcmp(m->c->mode, s->mode))
            continue;
        if (!count++)
            fprintf(points, "%s# %s %s %s\n", block ? "\n\n" : "", s->kind, variant->name, s->mode);
        figure_safe_text(name, sizeof name, m->c->name);
        fprintf(points, "%.6g %.6g %zu %s\n", m->c->flops / m->c->bytes, m->gflops, m->runs, name);
        mark_case(p, m);
        *like = m;
    }
    return count;
}

/* What several cores share is of no level of one. */
static const char *level_at(const report_data *data, const machine_roofs *roofs, size_t at) {
    return roofs->threads > 1 ? "" : machine_level(data, (double)roofs->read[at].working_set);
}

/* No more than half of its level: what else is in use does not push it out. */
static bool fits_well(const report_data *data, const machine_roofs *roofs, size_t at) {
    double bytes = (double)roofs->read[at].working_set;
    return !strcmp(machine_level(data, bytes), machine_level(data, 2 * bytes));
}

static bool same_level(const report_data *data, const machine_roofs *roofs, size_t a, size_t b) {
    return !strcmp(level_at(data, roofs, a), level_at(data, roofs, b));
}

/* The largest that fits well into each level, or else the smallest in it; where levels are unknown few of many: the
 * first, the last and some between. */
static bool shown(const report_data *data, const machine_roofs *roofs, size_t at) {
    size_t count = roofs->count;
    if (*level_at(data, roofs, at))
        return fits_well(data, roofs, at) ? at + 1 == count || !fits_well(data, roofs, at + 1) ||
                                                !same_level(data, roofs, at, at + 1)
                                          : !at || !same_level(data, roofs, at - 1, at);
    for (size_t i = 0; i < SHOWN_BANDWIDTHS; i++)
        if (at == i * (count - 1) / (SHOWN_BANDWIDTHS - 1))
            return true;
    return count <= SHOWN_BANDWIDTHS;
}

static void hold_cases(plot_frame *f, const report_data *data, const machine_roofs *roofs) {
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (on_plot(m, roofs))
            frame_hold(f, m->c->flops / m->c->bytes, m->gflops);
    }
    frame_hold(f, f->x_most, roofs->peak);
    frame_close(f);
}

/* Flat roofs are named at the right, slanted ones where they begin. */
static void name_roofs(FILE *script, picture *p, const machine_roofs *roofs) {
    const plot_frame *f = &p->frame;
    end_label labels[END_LABELS];
    size_t count = 0, longest = 0;
    for (size_t i = 0; i < roofs->isas && count < END_LABELS - 1; i++) {
        labels[count] = (end_label){.y = frame_y(f, roofs->by_isa[i].gflops), .colour = FIGURE_BOUND};
        snprintf(labels[count++].text, sizeof labels->text, "%.12s %.3g", roofs->by_isa[i].isa,
                 roofs->by_isa[i].gflops);
    }
    if (roofs->sgemm > 0) {
        labels[count] = (end_label){.y = frame_y(f, roofs->sgemm), .colour = FIGURE_BOUND};
        snprintf(labels[count++].text, sizeof labels->text, "sgemm %.3g", roofs->sgemm);
    }
    for (size_t i = 0; i < count; i++)
        longest = strlen(labels[i].text) > longest ? strlen(labels[i].text) : longest;
    p->frame.right = 12 + 7.5 * (double)longest;
    end_labels_spread(labels, count, 0.045);
    end_labels_write(script, labels, count);
}

/* Named in a small legend of their own, right below, where no points are. */
static void write_bandwidth(FILE *script, const report_data *data, const machine_roofs *roofs, size_t at,
                            size_t dash) {
    char size[32];
    double gbytes = machine_bandwidth(roofs, (double)roofs->read[at].working_set);
    bytes_text(size, sizeof size, (double)roofs->read[at].working_set);
    fprintf(script, "roof(x, %.6g) with lines lc rgb '%s' dt %zu lw 1.5 title '%s %.3g GB/s', \\\n     ",
            gbytes, FIGURE_BOUND, dash, *level_at(data, roofs, at) ? level_at(data, roofs, at) : size,
            gbytes);
}

static void write_roofs(FILE *script, const report_data *data, const machine_roofs *roofs) {
    size_t dash = 1;
    fputs("plot ", script);
    for (size_t i = 0; i < roofs->count; i++)
        if (shown(data, roofs, i))
            write_bandwidth(script, data, roofs, i, dash++);
    for (size_t i = 0; i < roofs->isas; i++)
        fprintf(script, "%.6g with lines lc rgb '%s' dt %zu lw 1 notitle, \\\n     ", roofs->by_isa[i].gflops,
                FIGURE_GUIDE, i + 1);
    if (roofs->sgemm > 0)
        fprintf(script, "%.6g with lines lc rgb '%s' dt 5 lw 1 notitle, \\\n     ", roofs->sgemm,
                FIGURE_BOUND);
}

static bool has_variant(const report_data *data, const machine_roofs *roofs, const attn_variant *variant,
                        const measured **one) {
    for (size_t i = 0; i < data->count; i++)
        if (on_plot(&data->cases[i], roofs) && data->cases[i].variant == variant) {
            *one = &data->cases[i];
            return true;
        }
    return false;
}

/* A line of colours and a line of shapes below the plot. */
static void write_legend(FILE *script, const picture *p, const report_data *data,
                         const machine_roofs *roofs) {
    double high = p->frame.height - p->frame.low - p->frame.above, x = -0.14;
    for (size_t v = 0; attn_variants[v]; v++) {
        const measured *one;
        char name[CASE_NAME];
        if (!has_variant(data, roofs, attn_variants[v], &one))
            continue;
        type_name(name, sizeof name, attn_variants[v]->name);
        fprintf(script, "set label '%s' at graph %.3f,%.4f left noenhanced font ',13' tc rgb '%s'\n", name, x,
                -66 / high, figure_colour(one));
        x += (14 + 9.5 * (double)strlen(name)) / (p->frame.width - p->frame.left - p->frame.right);
    }
    x = -0.14;
    for (size_t k = 0; k < SHAPES; k++) {
        const char *name = shapes[k].title ? shapes[k].title : "hollow: encoder";
        fprintf(script,
                "set label '%s' at graph %.3f,%.4f left noenhanced font ',13' tc rgb '%s' point pt %d ps 0.9 "
                "lc rgb '%s' offset 1,0\n",
                name, x + 0.02, -86 / high, FIGURE_BOUND, shapes[k].point_type, FIGURE_BOUND);
        x += (30 + 8.5 * (double)strlen(name)) / (p->frame.width - p->frame.left - p->frame.right);
        if (!shapes[k].title)
            break;
    }
}

static const measured *nearest_to_roof(const report_data *data, const machine_roofs *roofs,
                                       const char *mode) {
    const measured *best = NULL;
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (on_plot(m, roofs) && !strcmp(m->c->mode, mode) && m->roof > 0 && (!best || m->roof > best->roof))
            best = m;
    }
    return best;
}

void roofline_title(char *text, size_t size, const plot *row, const report_data *data) {
    const machine_roofs *roofs = roofs_of(row, data);
    const measured *decode = nearest_to_roof(data, roofs, "decode"),
                   *prefill = nearest_to_roof(data, roofs, "prefill");
    if (decode && prefill)
        snprintf(text, size, "The best decode reaches %.0f%% of its roof, the best prefill %.0f%%",
                 100 * decode->roof, 100 * prefill->roof);
}

size_t roofline_write(picture *p, const plot *row, const report_data *data, FILE *points, FILE *script) {
    size_t total = 0, block = 0;
    const machine_roofs *roofs = roofs_of(row, data);
    if (!(roofs->peak > 0) || !roofs->count)
        return 0;
    p->frame.low = 108; /* the legend's */
    hold_cases(&p->frame, data, roofs);
    name_roofs(script, p, roofs);
    frame_write(script, &p->frame);
    frame_write_axis_names(script, &p->frame, row->x_label, row->y_label);
    frame_write_y_ticks(script, &p->frame);
    write_legend(script, p, data, roofs);
    fprintf(
        script,
        "set key at graph 0.98,0.03 bottom right Left reverse noenhanced samplen 3 font ',11' tc rgb "
        "'" FIGURE_BOUND "'\n"
        "peak = %.6g\nroof(x, bandwidth) = bandwidth * x < peak ? bandwidth * x : peak\nset samples 400\n",
        roofs->peak);
    frame_write_start(script, &p->frame, row->name);
    write_roofs(script, data, roofs);
    fputs("# FLOPs per byte | GFLOP/s | runs | case\n", points);
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t k = 0; k < SHAPES; k++) {
            const measured *like = NULL;
            size_t count = write_block(points, p, data, roofs, attn_variants[v], &shapes[k], block, &like);
            if (!count)
                continue;
            fprintf(script, "%s'%s.dat' index %zu using 1:2 with points lc rgb '%s' pt %d notitle",
                    block ? ", \\\n     " : "", row->name, block, figure_colour(like), shapes[k].point_type);
            block++;
            total += count;
        }
    fputs("\n", script);
    frame_write_end(script, &p->frame, row->name);
    return total;
}
