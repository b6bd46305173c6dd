#include "reports/plots/overview.h"

#include "base/text/append.h"
#include "reports/data/case_names.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/name_places.h"
#include "reports/study/study_answer.h"

#include <math.h>
#include <string.h>

enum { BOUND_STEPS = 48, BOUND_PIECES = 12 };

static double mib(const rival *one) {
    return one->m->c->kv_bytes_live / 1048576.0;
}

static double ms(double time) {
    return time / 1e6;
}

/* Nobody decodes faster than the cache can be read once: ms for that many MiB. NaN without a bandwidth. */
static double read_once(const report_data *data, double size) {
    return size * 1048576.0 / machine_bandwidth(&data->roofs, size * 1048576.0) / 1e6;
}

/* The study's small model of that type and share of the cache, in float32. */
static study_small small_of(const report_data *data, const rival *one) {
    const results_case *c = one->m->c;
    if (!data->study || case_rounds_cache(c))
        return (study_small){.wer = NAN};
    return study_small_at(data->study, c->type, one->bytes);
}

static bool has_rates(const rivals *r, const report_data *data) {
    for (size_t i = 0; i < r->count; i++)
        if (!isnan(small_of(data, &r->of[i]).wer))
            return true;
    return false;
}

void overview_title(char *text, size_t size, const rivals *r) {
    const rival *focus = rivals_quarter(r, "mla");
    char name[CASE_NAME];
    if (!focus)
        return;
    case_short_name(name, sizeof name, focus->m->c);
    if (focus->apart)
        snprintf(text, size, "%s: %.2g of MHA's bytes, %.2g of its time at L = %zu", name, focus->bytes,
                 focus->time, focus->m->c->L);
    else
        snprintf(text, size, "%s: %.2g of MHA's bytes; no difference in time found at L = %zu", name,
                 focus->bytes, focus->m->c->L);
}

static void hold(picture *p, const rivals *r, const report_data *data) {
    for (size_t i = 0; i < r->count; i++) {
        frame_hold(&p->frame, mib(&r->of[i]), ms(r->of[i].m->low));
        frame_hold(&p->frame, mib(&r->of[i]), ms(r->of[i].m->high));
    }
    double bound = read_once(data, p->frame.x_most);
    if (bound > 0)
        frame_hold(&p->frame, p->frame.x_most, bound);
    p->frame.y_least *= 0.85; /* room below the points for their names */
    p->frame.x_most *= 2.2;   /* and right of them */
    p->frame.x_least /= 1.3;
    if (has_rates(r, data))
        p->frame.y_most *= 1.6; /* for what the error rates are */
    frame_close(&p->frame);
}

static void write_points(FILE *points, picture *p, const rivals *r, const report_data *data) {
    fputs("# cache, MiB a layer | ms a frame | low | high | runs | WER of the study, % | case\n", points);
    for (size_t i = 0; i < r->count; i++) {
        const measured *m = r->of[i].m;
        char text[400], name[256], own[CASE_NAME];
        figure_safe_text(name, sizeof name, m->c->name);
        study_small small = small_of(data, &r->of[i]);
        fprintf(points, "%s%.6g %.6g %.6g %.6g %zu %.4g %s\n", i ? "\n\n" : "", mib(&r->of[i]), ms(m->time),
                ms(m->low), ms(m->high), m->runs, small.wer, name);
        case_long_name(own, sizeof own, m->c);
        snprintf(text, sizeof text, "%s: %.4g MiB a layer, %.4g ms a frame (%.4g to %.4g)\n%s", own,
                 mib(&r->of[i]), ms(m->time), ms(m->low), ms(m->high), m->c->name);
        if (!isnan(small.wer))
            text_append(text, sizeof text, "\nWER %.2f%% of a small model in the study, %s%s%s; %s",
                        small.wer, small.name, small.shares ? "" : " (its state has one size)",
                        small.tuned ? "" : ", trained from scratch", data->study->speech);
        picture_mark(p, mib(&r->of[i]), ms(m->time), text);
    }
}

/* The cache at a part, 0 to 1, of the x axis. */
static double x_at(const plot_frame *f, double part) {
    return f->x_least * pow(f->x_most / f->x_least, part);
}

static size_t write_bound(FILE *points, const picture *p, const report_data *data) {
    const plot_frame *f = &p->frame;
    size_t count = 0;
    for (int i = 0; i <= BOUND_STEPS; i++) {
        double x = x_at(f, (double)i / BOUND_STEPS), y = read_once(data, x);
        if (!(y >= f->y_least && y <= f->y_most))
            continue;
        fprintf(points, "%s%.6g %.6g\n", count++ ? "" : "\n\n# cache, MiB | ms to read it once\n", x, y);
    }
    return count;
}

static spot spot_of(const picture *p, const rival *one) {
    return (spot){frame_x(&p->frame, mib(one)), frame_y(&p->frame, ms(one->m->time))};
}

/* From MHA to each rival with a float cache, ending short of its point. False: there is no room for one. */
static bool find_arrow(spot *from, spot *to, const picture *p, const rivals *r, size_t at) {
    spot end = spot_of(p, &r->of[at]);
    *from = spot_of(p, &r->of[0]);
    double length = hypot(end.x - from->x, end.y - from->y), part = 1 - 0.025 / length;
    *to = (spot){from->x + part * (end.x - from->x), from->y + part * (end.y - from->y)};
    return at && length > 0.06 && !case_rounds_cache(r->of[at].m->c);
}

static void write_arrows(FILE *script, const picture *p, const rivals *r) {
    spot from, to;
    for (size_t i = 1; i < r->count; i++)
        if (find_arrow(&from, &to, p, r, i))
            fprintf(script,
                    "set arrow from graph %.4f,%.4f to graph %.4f,%.4f size graph 0.02,20 filled lc rgb '%s' "
                    "lw 1 back\n",
                    from.x, from.y, to.x, to.y, figure_colour(r->of[i].m));
}

/* ---- names */

static void map_lines(name_map *map, const picture *p, const rivals *r, const report_data *data) {
    spot from, to;
    for (size_t i = 0; i < r->count; i++) {
        double x = spot_of(p, &r->of[i]).x;
        name_map_line(map, (spot){x, frame_y(&p->frame, ms(r->of[i].m->low))},
                      (spot){x, frame_y(&p->frame, ms(r->of[i].m->high))});
        if (find_arrow(&from, &to, p, r, i))
            name_map_line(map, from, to);
    }
    const plot_frame *f = &p->frame;
    for (int i = 0; i < BOUND_PIECES; i++) {
        double from_x = (double)i / BOUND_PIECES, to_x = (double)(i + 1) / BOUND_PIECES;
        double from_time = read_once(data, x_at(f, from_x)), to_time = read_once(data, x_at(f, to_x));
        if (to_time >= f->y_least)
            name_map_line(map, (spot){from_x, frame_y(f, from_time)}, (spot){to_x, frame_y(f, to_time)});
    }
}

/* A name without a place is left to the page's hints and to the tables. */
static bool write_name(FILE *script, name_map *map, spot mark, const rival *one, const char *after) {
    char name[CASE_NAME], safe[CASE_NAME];
    int points = case_rounds_cache(one->m->c) ? 11 : 13;
    name_place place;
    case_short_name(name, sizeof name, one->m->c);
    text_append(name, sizeof name, "%s", after);
    figure_safe_text(safe, sizeof safe, name);
    if (!name_map_find(map, &place, mark, strlen(safe), points))
        return false;
    if (place.leads)
        fprintf(script,
                "set arrow from graph %.4f,%.4f to graph %.4f,%.4f nohead lc rgb '%s' lw 0.6 dt (2,2) back\n",
                mark.x, mark.y, place.at.x, place.at.y, figure_colour(one->m));
    fprintf(script, "set label '%s' at graph %.4f,%.4f %s front noenhanced font ',%d' tc rgb '%s'\n", safe,
            place.at.x, place.at.y, place.side, points, figure_colour(one->m));
    return true;
}

/* Float caches have the first choice; without room for the error rate the name alone. */
static void write_names(FILE *script, name_map *map, const picture *p, const rivals *r,
                        const report_data *data) {
    for (size_t i = 0; i < r->count; i++)
        name_map_mark(map, spot_of(p, &r->of[i]));
    map_lines(map, p, r, data);
    for (int rounded = 0; rounded < 2; rounded++)
        for (size_t i = 0; i < r->count; i++)
            if (case_rounds_cache(r->of[i].m->c) == rounded) {
                char wer[48] = "";
                spot mark = spot_of(p, &r->of[i]);
                study_small small = small_of(data, &r->of[i]);
                if (!isnan(small.wer))
                    snprintf(wer, sizeof wer, ", WER %.1f%%%s", small.wer,
                             small.tuned ? "" : " from scratch");
                if (!*wer || !write_name(script, map, mark, &r->of[i], wer))
                    write_name(script, map, mark, &r->of[i], "");
            }
}

/* What the error rates are: in the caption, and within the picture, which may be shown without it. */
static void explain_wer(picture *p, FILE *script, name_map *map, const rivals *r, const report_data *data) {
    study_small scratch = {.wer = NAN};
    if (!has_rates(r, data))
        return;
    for (size_t i = 0; i < r->count; i++) {
        study_small small = small_of(data, &r->of[i]);
        if (!isnan(small.wer) && !small.tuned)
            scratch = small;
    }
    fprintf(script,
            "set label \"WER: small models with that\\nshare of the cache, %s\" at graph 0.02,0.96 left "
            "noenhanced font ',12' tc rgb '%s'\n",
            data->study->speech, FIGURE_BOUND);
    double width = 0.0195 * (double)(strlen("share of the cache, ") + strlen(data->study->speech));
    name_map_box(map, (name_box){0.02, 0.02 + width, 0.86, 1});
    text_append(
        p->more, sizeof p->more,
        " WER is not this layer's: it is that of the study's small model of the same type and the same share "
        "of MHA's cache (of a type whose state has one size, of another share), tuned after conversion, and "
        "that of its MHA trained as long.");
    if (!isnan(scratch.wer))
        text_append(p->more, sizeof p->more, " From scratch: not converted; %s has %.1f%% then, MHA %.1f%%.",
                    scratch.name, scratch.wer, scratch.mha);
}

static void write_plot(FILE *script, const char *name, const rivals *r, size_t bound) {
    const char *start = "plot ";
    if (bound) {
        fprintf(script, "%s'%s.dat' index %zu using 1:2 with lines lc rgb '%s' dt (4,4) lw 1.5", start, name,
                r->count, FIGURE_BOUND);
        start = ", \\\n     ";
    }
    for (size_t i = 0; i < r->count; i++) {
        fprintf(script, "%s'%s.dat' index %zu using 1:2:3:4 with yerrorbars lc rgb '%s' pt %d ps 1.3 lw 1.8",
                start, name, i, figure_colour(r->of[i].m), figure_point_type(r->of[i].m));
        start = ", \\\n     ";
    }
    fputs("\n", script);
}

/* Right of where the line leaves the plot below: nothing is faster than the limit, so that it is empty there. */
static void write_bound_name(FILE *script, name_map *map, const picture *p, const report_data *data) {
    const plot_frame *f = &p->frame;
    double x = f->x_least, y = read_once(data, x);
    while (y < f->y_least && x < f->x_most)
        x *= 1.02, y = read_once(data, x);
    double at = frame_x(f, x), low = frame_y(f, y);
    bool right = at < 0.7;
    fprintf(script,
            "set label \"limit: the\\ncache read once\" at graph %.4f,%.4f %s noenhanced font ',12' tc rgb "
            "'%s'\n",
            at + (right ? 0.085 : -0.03), low + 0.09, right ? "left" : "right", FIGURE_BOUND);
    double left = right ? at + 0.085 : at - 0.33;
    name_map_box(map, (name_box){left, left + 0.3, low, low + 0.15});
}

size_t overview_write(picture *p, const plot *row, const rivals *r, const report_data *data, FILE *points,
                      FILE *script) {
    if (!r->count)
        return 0;
    hold(p, r, data);
    write_points(points, p, r, data);
    size_t bound = write_bound(points, p, data);
    frame_write(script, &p->frame);
    frame_write_axis_names(script, &p->frame, row->x_label, row->y_label);
    frame_write_y_ticks(script, &p->frame);
    write_arrows(script, p, r);
    name_map map = {0};
    explain_wer(p, script, &map, r, data);
    if (bound)
        write_bound_name(script, &map, p, data);
    write_names(script, &map, p, r, data);
    frame_write_start(script, &p->frame, row->name);
    write_plot(script, row->name, r, bound);
    frame_write_end(script, &p->frame, row->name);
    return r->count;
}
