#include "reports/plots/parts_plot.h"

#include "reports/data/case_names.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/end_labels.h"
#include "reports/tables/encoder_section.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_encoder(const measured *m, const char *mode) {
    return !strcmp(m->c->kind, "encoder") && !strcmp(m->c->mode, mode);
}

enum { SETTING = FIELD_T | FIELD_LAYERS | FIELD_H | FIELD_D | FIELD_K | FIELD_INPUT | FIELD_IMPL };

static bool has_bar(const measured *m) {
    return is_encoder(m, "prefill") && !isnan(encoder_share(m->c, ATTN_PART_ATTENTION));
}

/* The fastest case of each model and type at the setting of `like`. */
static void gather_bars(encoder_bars *bars, const report_data *data, const results_case *like) {
    *bars = (encoder_bars){0};
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        size_t at = 0;
        if (!has_bar(m) || !case_same(m->c, like, SETTING | case_fields_unsaid()))
            continue;
        while (at < bars->count && !case_same(bars->bar[at]->c, m->c, FIELD_MODEL | FIELD_TYPE))
            at++;
        if (at == bars->count && bars->count < ENCODER_BARS)
            bars->bar[bars->count++] = m;
        else if (at < bars->count && m->time < bars->bar[at]->time)
            bars->bar[at] = m;
    }
}

void encoder_bars_find(encoder_bars *bars, const report_data *data) {
    const results_case *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < data->count; i++) {
        if (!has_bar(&data->cases[i]))
            continue;
        gather_bars(bars, data, data->cases[i].c);
        if (bars->count > most || (bars->count == most && data->cases[i].c->T > best->T)) {
            most = bars->count;
            best = data->cases[i].c;
        }
    }
    *bars = (encoder_bars){0};
    if (!best)
        return;
    gather_bars(bars, data, best);
    qsort(bars->bar, bars->count, sizeof *bars->bar, encoder_compare);
    const results_case *cases[ENCODER_BARS];
    char positions[80];
    for (size_t i = 0; i < bars->count; i++) {
        size_t runs = bars->bar[i]->runs;
        cases[i] = bars->bar[i]->c;
        bars->least_runs = !i || runs < bars->least_runs ? runs : bars->least_runs;
        bars->most_runs = runs > bars->most_runs ? runs : bars->most_runs;
    }
    positions_text(positions, sizeof positions, cases, bars->count);
    snprintf(bars->held, sizeof bars->held, "T %zu, layers %zu, d_model %zu, h %zu, %s input layer%s%s",
             best->T, best->layers, best->d, best->h, best->input, *positions ? ", " : "", positions);
    unsaid_append(bars->held, sizeof bars->held, best, case_fields_unsaid());
}

/* Not those of attention types: a part is no type. Attention is the strongest. */
static const char *const part_colours[ATTN_PARTS] = {FIGURE_PART_0, FIGURE_PART_1, FIGURE_PART_2,
                                                     FIGURE_PART_3, FIGURE_PART_4};

static bool starts_group(const encoder_bars *bars, size_t at) {
    return !at || !case_same(bars->bar[at - 1]->c, bars->bar[at]->c, FIELD_MODEL);
}

/* Bars stand one apart, groups of a model two. */
static double place_of(const encoder_bars *bars, size_t at) {
    double x = 0;
    for (size_t i = 1; i <= at; i++)
        x += starts_group(bars, i) ? 1.6 : 1;
    return x;
}

static void mark_part(picture *p, const measured *m, double x, attn_part part, double from) {
    char text[400], name[CASE_NAME];
    double share = encoder_share(m->c, part);
    case_short_name(name, sizeof name, m->c);
    snprintf(text, sizeof text, "%s %s, %s: %.3g%% of %.4g ms\n%s", m->c->model, name, attn_part_names[part],
             share, m->time / 1e6, m->c->name);
    if (share > 2)
        picture_mark(p, x, from + share / 2, text);
}

static void write_bar(FILE *points, picture *p, const encoder_bars *bars, size_t at) {
    const measured *m = bars->bar[at];
    double sum = 0, x = place_of(bars, at);
    fprintf(points, "%.2f 0", x);
    for (size_t part = 0; part < ATTN_PARTS; part++) {
        mark_part(p, m, x, (attn_part)part, sum);
        sum += encoder_share(m->c, (attn_part)part);
        fprintf(points, " %.6g", sum);
    }
    fprintf(points, " %.6g %zu %s %s\n", m->time / 1e6, m->runs, m->c->model, m->c->type);
}

static void write_names(FILE *script, const encoder_bars *bars) {
    fputs("set xtics (", script);
    for (size_t i = 0; i < bars->count; i++) {
        char name[CASE_NAME], safe[CASE_NAME];
        type_name(name, sizeof name, bars->bar[i]->c->type);
        figure_safe_text(safe, sizeof safe, name);
        fprintf(script, "%s'%s' %.2f", i ? ", " : "", safe, place_of(bars, i));
    }
    fputs(") rotate by -30 noenhanced scale 0\n", script);
    for (size_t i = 0; i < bars->count; i++)
        if (starts_group(bars, i)) {
            char name[CASE_NAME], safe[CASE_NAME];
            model_name(name, sizeof name, bars->bar[i]->c->model);
            figure_safe_text(safe, sizeof safe, name);
            fprintf(script, "set label '%s' at %.2f,104 left offset -1,0 noenhanced\n", safe,
                    place_of(bars, i));
        }
}

/* Next to the last bar, each at the height of its part. */
static void name_parts(FILE *script, picture *p, const results_case *last) {
    end_label labels[ATTN_PARTS];
    size_t count = 0;
    double sum = 0;
    for (size_t part = 0; part < ATTN_PARTS; part++) {
        double share = encoder_share(last, (attn_part)part);
        labels[count] = (end_label){.y = frame_y(&p->frame, sum + share / 2), .colour = part_colours[part]};
        snprintf(labels[count++].text, sizeof labels->text, "%s", attn_part_names[part]);
        sum += share;
    }
    end_labels_spread(labels, count, 0.06);
    end_labels_write(script, labels, count);
}

void encoder_bars_title(char *text, size_t size, const encoder_bars *bars) {
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < bars->count; i++) {
        double share = encoder_share(bars->bar[i]->c, ATTN_PART_ATTENTION);
        least = share < least ? share : least;
        most = share > most ? share : most;
    }
    if (bars->count)
        snprintf(text, size, "Attention takes %.0f to %.0f%% of a whole encoder's time", least, most);
}

size_t encoder_bars_write(picture *p, const plot *row, const encoder_bars *bars, FILE *points, FILE *script) {
    if (!bars->count)
        return 0;
    p->frame.right = 108;
    frame_hold(&p->frame, -0.5, 0);
    frame_hold(&p->frame, place_of(bars, bars->count - 1) + 0.5, 100);
    frame_close(&p->frame);
    fputs("# x | 0", points);
    for (size_t part = 0; part < ATTN_PARTS; part++)
        fprintf(points, " | up to %s, %%", attn_part_names[part]);
    fputs(" | ms | runs | model | type\n", points);
    for (size_t i = 0; i < bars->count; i++)
        write_bar(points, p, bars, i);
    frame_write(script, &p->frame);
    frame_write_axis_names(script, &p->frame, row->x_label, row->y_label);
    fputs("set ytics 0,20,100\nset style fill solid 1 noborder\n", script);
    write_names(script, bars);
    name_parts(script, p, bars->bar[bars->count - 1]->c);
    frame_write_start(script, &p->frame, "encoder_parts");
    for (size_t part = 0; part < ATTN_PARTS; part++)
        fprintf(script,
                "%s'encoder_parts.dat' using 1:%zu:($1-0.4):($1+0.4):%zu:%zu with boxxyerror lc rgb '%s'",
                part ? ", \\\n     " : "plot ", part + 2, part + 2, part + 3, part_colours[part]);
    fputs("\n", script);
    frame_write_end(script, &p->frame, "encoder_parts");
    return bars->count;
}
