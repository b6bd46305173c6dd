#include "reports/plots/overview.h"

#include "base/text/append.h"
#include "reports/data/case_names.h"
#include "reports/plots/figure_style.h"
#include "reports/study/study_answer.h"

#include <math.h>
#include <string.h>

enum { BOUND_STEPS = 48 };

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

/* The study's error rate with that type and share of the cache, in float32; NaN: it has none. */
static double wer_of(const report_data *data, const rival *one) {
    const results_case *c = one->m->c;
    return data->study && !case_rounds_cache(c) ? study_wer_at(data->study, c->type, one->bytes) : NAN;
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

static bool explains_wer(const rivals *r, const report_data *data) {
    bool any = false;
    for (size_t i = 0; i < r->count; i++)
        any = any || !isnan(wer_of(data, &r->of[i]));
    return any;
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
    if (explains_wer(r, data))
        p->frame.y_most *= 1.4; /* above them for what the error rates are */
    p->frame.x_most *= 2.2;     /* and right of them */
    p->frame.x_least /= 1.3;
    frame_close(&p->frame);
}

static void write_points(FILE *points, picture *p, const rivals *r, const report_data *data) {
    fputs("# cache, MiB a layer | ms a frame | low | high | runs | WER of the study, % | case\n", points);
    for (size_t i = 0; i < r->count; i++) {
        const measured *m = r->of[i].m;
        char text[400], name[256], own[CASE_NAME];
        figure_safe_text(name, sizeof name, m->c->name);
        double wer = wer_of(data, &r->of[i]);
        fprintf(points, "%s%.6g %.6g %.6g %.6g %zu %.4g %s\n", i ? "\n\n" : "", mib(&r->of[i]), ms(m->time),
                ms(m->low), ms(m->high), m->runs, wer, name);
        case_long_name(own, sizeof own, m->c);
        snprintf(text, sizeof text, "%s: %.4g MiB a layer, %.4g ms a frame (%.4g to %.4g)\n%s", own,
                 mib(&r->of[i]), ms(m->time), ms(m->low), ms(m->high), m->c->name);
        if (!isnan(wer))
            text_append(text, sizeof text, "\nWER %.2f%% of a small model in the study, %s", wer,
                        data->study->speech);
        picture_mark(p, mib(&r->of[i]), ms(m->time), text);
    }
}

static size_t write_bound(FILE *points, const picture *p, const report_data *data) {
    const plot_frame *f = &p->frame;
    size_t count = 0;
    for (int i = 0; i <= BOUND_STEPS; i++) {
        double x = f->x_least * pow(f->x_most / f->x_least, (double)i / BOUND_STEPS), y = read_once(data, x);
        if (!(y >= f->y_least && y <= f->y_most))
            continue;
        fprintf(points, "%s%.6g %.6g\n", count++ ? "" : "\n\n# cache, MiB | ms to read it once\n", x, y);
    }
    return count;
}

/* In parts of the plot's width and height. */
typedef struct spot {
    double x, y;
} spot;

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

/* What something covers. */
typedef struct box {
    double left, right, low, high;
} box;

typedef struct name_place {
    const char *side; /* what gnuplot aligns it by */
    double x, y;      /* from the point to the name's middle line, in parts of the plot */
} name_place;

static const name_place name_places[] = {
    {"right", -0.03, 0},    {"left", 0.03, 0},       {"center", 0, -0.065}, {"center", 0, 0.065},
    {"right", -0.03, 0.05}, {"right", -0.03, -0.05}, {"left", 0.03, 0.05},  {"left", 0.03, -0.05},
    {"center", 0, -0.12},   {"center", 0, 0.12},     {"right", -0.03, 0.1}, {"right", -0.03, -0.1},
    {"left", 0.03, 0.1},    {"left", 0.03, -0.1}};
enum { NAME_PLACES = sizeof name_places / sizeof *name_places, LINE_STEPS = 40 };
static const double LETTER = 0.021, HALF_LINE = 0.028, HALF_MARK = 0.022;

static box box_of(const picture *p, const rival *one, const name_place *place, size_t letters) {
    double x = spot_of(p, one).x + place->x, y = spot_of(p, one).y + place->y;
    double width = LETTER * (double)letters;
    double before = !strcmp(place->side, "right") ? width : !strcmp(place->side, "center") ? width / 2 : 0;
    return (box){x - before, x - before + width, y - HALF_LINE, y + HALF_LINE};
}

static bool is_free(const box *b, const box *taken, size_t count) {
    bool inside = b->left > 0 && b->right < 0.98 && b->low > 0 && b->high < 1;
    for (size_t i = 0; inside && i < count; i++)
        if (b->left < taken[i].right && taken[i].left < b->right && b->low < taken[i].high &&
            taken[i].low < b->high)
            return false;
    return inside;
}

static size_t crossed_by(const box *b, spot from, spot to) {
    size_t count = 0;
    for (int i = 0; i <= LINE_STEPS; i++) {
        double part = (double)i / LINE_STEPS, x = from.x + part * (to.x - from.x),
               y = from.y + part * (to.y - from.y);
        count += x > b->left && x < b->right && y > b->low && y < b->high;
    }
    return count;
}

/* How much of arrows and bars a name there would cover. */
static size_t crossings(const box *b, const picture *p, const rivals *r) {
    size_t count = 0;
    spot from, to;
    for (size_t i = 0; i < r->count; i++) {
        double x = spot_of(p, &r->of[i]).x;
        count += crossed_by(b, (spot){x, frame_y(&p->frame, ms(r->of[i].m->low))},
                            (spot){x, frame_y(&p->frame, ms(r->of[i].m->high))});
        if (find_arrow(&from, &to, p, r, i))
            count += crossed_by(b, from, to);
    }
    return count;
}

/* Where nothing else is, and fewest lines are crossed; a name without such a place is left to the page's hints and to the
 * tables. */
static bool write_name(FILE *script, const picture *p, const rivals *r, size_t at, const char *after,
                       box *taken, size_t *count) {
    const rival *one = &r->of[at];
    char name[CASE_NAME], safe[CASE_NAME];
    case_short_name(name, sizeof name, one->m->c);
    text_append(name, sizeof name, "%s", after);
    figure_safe_text(safe, sizeof safe, name);
    const name_place *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < NAME_PLACES; i++) {
        box b = box_of(p, one, &name_places[i], strlen(name));
        size_t crossed = crossings(&b, p, r);
        if (crossed < least && is_free(&b, taken, *count)) {
            best = &name_places[i];
            least = crossed;
        }
    }
    if (!best)
        return false;
    taken[(*count)++] = box_of(p, one, best, strlen(name));
    fprintf(script, "set label '%s' at graph %.4f,%.4f %s front noenhanced font ',13' tc rgb '%s'\n", safe,
            spot_of(p, one).x + best->x, spot_of(p, one).y + best->y, best->side, figure_colour(one->m));
    return true;
}

#define WER_NOTE "WER: small models, "
static const double NOTE_X = 0.02, NOTE_Y = 0.95;

/* Float caches have the first choice; without room for the error rate the name alone. */
static void write_names(FILE *script, const picture *p, const rivals *r, const report_data *data) {
    box taken[2 * RIVALS + 1];
    size_t count = 0;
    if (explains_wer(r, data)) {
        double width = LETTER * (double)(strlen(WER_NOTE) + strlen(data->study->speech));
        taken[count++] = (box){NOTE_X, NOTE_X + width, NOTE_Y - HALF_LINE, NOTE_Y + HALF_LINE};
    }
    for (size_t i = 0; i < r->count; i++) {
        spot at = spot_of(p, &r->of[i]);
        taken[count++] = (box){at.x - HALF_MARK, at.x + HALF_MARK, at.y - HALF_MARK, at.y + HALF_MARK};
    }
    for (int rounded = 0; rounded < 2; rounded++)
        for (size_t i = 0; i < r->count; i++)
            if (case_rounds_cache(r->of[i].m->c) == rounded) {
                char wer[32] = "";
                if (!isnan(wer_of(data, &r->of[i])))
                    snprintf(wer, sizeof wer, ", WER %.1f%%", wer_of(data, &r->of[i]));
                if (!*wer || !write_name(script, p, r, i, wer, taken, &count))
                    write_name(script, p, r, i, "", taken, &count);
            }
}

/* What the error rates are: in the caption, and within the picture, which may be shown without it. */
static void explain_wer(picture *p, FILE *script, const rivals *r, const report_data *data) {
    if (!explains_wer(r, data))
        return;
    fprintf(script, "set label '" WER_NOTE "%s' at graph %.2f,%.2f left noenhanced font ',12' tc rgb '%s'\n",
            data->study->speech, NOTE_X, NOTE_Y, FIGURE_BOUND);
    snprintf(p->more, sizeof p->more,
             " WER is not this layer's: the study has a small model of each type with that share of the "
             "cache, tuned after conversion, and its MHA trained as long.");
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

/* Right of where the line leaves the plot below, or else at its other end. */
static void write_bound_name(FILE *script, const picture *p, const report_data *data) {
    const plot_frame *f = &p->frame;
    double x = f->x_least, y = read_once(data, x);
    while (y < f->y_least && x < f->x_most)
        x *= 1.02, y = read_once(data, x);
    double at = frame_x(f, x);
    fprintf(script,
            "set label 'limit: cache read once' at graph %.4f,%.4f %s offset %s noenhanced font ',12' tc rgb "
            "'%s'\n",
            at, frame_y(f, y), at > 0.55 ? "right" : "left", at > 0.55 ? "-0.8,0.6" : "1.5,0.6",
            FIGURE_BOUND);
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
    write_names(script, p, r, data);
    explain_wer(p, script, r, data);
    if (bound)
        write_bound_name(script, p, data);
    frame_write_start(script, &p->frame, row->name);
    write_plot(script, row->name, r, bound);
    frame_write_end(script, &p->frame, row->name);
    return r->count;
}
