#include "reports/plots/roofline.h"

#include "reports/plots/figure_style.h"

#include <math.h>
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

static bool on_plot(const measured *m) {
    return results_is_model(m->c) && m->gflops > 0 && m->c->bytes > 0;
}

static size_t write_block(FILE *points, const report_data *data, const attn_variant *variant, const shape *s,
                          size_t block, const measured **like) {
    size_t count = 0;
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        char name[256];
        if (!on_plot(m) || m->variant != variant || strcmp(m->c->kind, s->kind) ||
            strcmp(m->c->mode, s->mode))
            continue;
        if (!count++)
            fprintf(points, "%s# %s %s %s\n", block ? "\n\n" : "", s->kind, variant->name, s->mode);
        figure_safe_text(name, sizeof name, m->c->name);
        fprintf(points, "%.6g %.6g %zu %s\n", m->c->flops / m->c->bytes, m->gflops, m->runs, name);
        *like = m;
    }
    return count;
}

static const char *level_at(const report_data *data, size_t at) {
    return machine_level(data, (double)data->roofs.read[at].working_set);
}

/* No more than half of its level: what else is in use does not push it out. */
static bool fits_well(const report_data *data, size_t at) {
    double bytes = (double)data->roofs.read[at].working_set;
    return !strcmp(machine_level(data, bytes), machine_level(data, 2 * bytes));
}

static bool same_level(const report_data *data, size_t a, size_t b) {
    return !strcmp(level_at(data, a), level_at(data, b));
}

/* The largest that fits well into each level, or else the smallest in it; where levels are unknown few of many: the
 * first, the last and some between. */
static bool shown(const report_data *data, size_t at) {
    size_t count = data->roofs.count;
    if (*level_at(data, at))
        return fits_well(data, at)
                   ? at + 1 == count || !fits_well(data, at + 1) || !same_level(data, at, at + 1)
                   : !at || !same_level(data, at - 1, at);
    for (size_t i = 0; i < SHOWN_BANDWIDTHS; i++)
        if (at == i * (count - 1) / (SHOWN_BANDWIDTHS - 1))
            return true;
    return count <= SHOWN_BANDWIDTHS;
}

static void write_ranges(FILE *script, const report_data *data) {
    double least_x = INFINITY, most_x = 0, least_y = INFINITY;
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (!on_plot(m))
            continue;
        least_x = fmin(least_x, m->c->flops / m->c->bytes);
        most_x = fmax(most_x, m->c->flops / m->c->bytes);
        least_y = fmin(least_y, m->gflops);
    }
    if (most_x > 0)
        fprintf(script, "set xrange [%g:%g]\nset yrange [%g:%g]\n", least_x / 2, most_x * 2, least_y / 2,
                data->roofs.peak * 2);
}

static void write_roofs(FILE *script, const report_data *data) {
    const machine_roofs *roofs = &data->roofs;
    size_t dash = 1;
    fprintf(script,
            "peak = %.6g\nroof(x, bandwidth) = bandwidth * x < peak ? bandwidth * x : peak\nset samples "
            "400\nplot ",
            roofs->peak);
    for (size_t i = 0; i < roofs->count; i++) {
        char size[32];
        if (!shown(data, i))
            continue;
        bytes_text(size, sizeof size, (double)roofs->read[i].working_set);
        fprintf(script,
                "roof(x, %.6g) with lines lc rgb '#808080' dt %zu lw 1.5 title '%s %.3g GB/s', \\\n     ",
                roofs->read[i].gbytes, dash++, *level_at(data, i) ? level_at(data, i) : size,
                roofs->read[i].gbytes);
    }
    for (size_t i = 0; i < roofs->isas; i++)
        fprintf(script, "%.6g with lines lc rgb '#b0b0b0' dt %zu lw 1 title '%s %.3g GFLOP/s', \\\n     ",
                roofs->by_isa[i].gflops, i + 1, roofs->by_isa[i].isa, roofs->by_isa[i].gflops);
    if (roofs->sgemm > 0)
        fprintf(script, "%.6g with lines lc rgb '#808080' dt 5 lw 1 title 'sgemm %.3g GFLOP/s', \\\n     ",
                roofs->sgemm, roofs->sgemm);
}

static void write_legend(FILE *script, const report_data *data, const bool seen[SHAPES]) {
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t i = 0; i < data->count; i++)
            if (on_plot(&data->cases[i]) && data->cases[i].variant == attn_variants[v]) {
                fprintf(script, ", \\\n     keyentry with points lc rgb '%s' pt 7 title '%s'",
                        figure_colour(&data->cases[i]), attn_variants[v]->name);
                break;
            }
    bool encoders = false;
    for (size_t k = 0; k < SHAPES; k++) {
        encoders |= seen[k] && !shapes[k].title;
        if (seen[k] && shapes[k].title)
            fprintf(script, ", \\\n     keyentry with points lc rgb '#808080' pt %d title '%s'",
                    shapes[k].point_type, shapes[k].title);
    }
    if (encoders)
        fputs(", \\\n     keyentry with points lc rgb '#808080' pt 6 title 'hollow: encoder'", script);
    fputs("\n", script);
}

size_t roofline_write(FILE *points, FILE *script, const report_data *data) {
    size_t total = 0, block = 0;
    bool seen[SHAPES] = {false};
    if (!(data->roofs.peak > 0) || !data->roofs.count)
        return 0;
    write_ranges(script, data);
    write_roofs(script, data);
    fputs("# FLOPs per byte | GFLOP/s | runs | case\n", points);
    for (size_t v = 0; attn_variants[v]; v++)
        for (size_t k = 0; k < SHAPES; k++) {
            const measured *like = NULL;
            size_t count = write_block(points, data, attn_variants[v], &shapes[k], block, &like);
            if (!count)
                continue;
            fprintf(script, "%s'roofline.dat' index %zu using 1:2 with points lc rgb '%s' pt %d notitle",
                    block ? ", \\\n     " : "", block, figure_colour(like), shapes[k].point_type);
            seen[k] = true;
            block++;
            total += count;
        }
    write_legend(script, data, seen);
    return total;
}
