#include "reports/data/series.h"

#include "attn/alloc.h"
#include "base/text/append.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct members {
    size_t count;
    const measured **list;
} members;

static double quantity(const measured *m, const series_selection *s, double time) {
    switch (s->y) {
    case QUANTITY_CACHE_BYTES:
        return m->c->kv_bytes_live;
    case QUANTITY_TIME_PER_FRAME:
        return time / ((double)m->c->q * (double)m->c->B);
    default:
        return time;
    }
}

/* Against heads, key/value heads follow at their default ratio: other ratios are another plot. */
static bool default_kv_heads(const results_case *c) {
    return !c->hkv || c->hkv == attn_default_kv_heads(c->h);
}

static bool eligible(const measured *m, const series_selection *s) {
    const results_case *c = m->c;
    if (strcmp(c->kind, s->kind ? s->kind : "attention") || (s->mode && strcmp(c->mode, s->mode)))
        return false;
    if ((s->only_latent && !c->dc) || (s->only_kv_heads && !c->hkv))
        return false;
    if (s->y == QUANTITY_CACHE_BYTES && !(c->kv_bytes_live > 0))
        return false;
    return s->x != FIELD_H || default_kv_heads(c);
}

/* Members that equal `like` in `fields`. */
static void filter(members *out, const members *in, const results_case *like, case_fields fields) {
    out->count = 0;
    for (size_t i = 0; i < in->count; i++)
        if (case_same(in->list[i]->c, like, fields))
            out->list[out->count++] = in->list[i];
}

static bool first_of_kind(const members *in, size_t at, case_fields fields) {
    for (size_t i = 0; i < at; i++)
        if (case_same(in->list[i]->c, in->list[at]->c, fields))
            return false;
    return true;
}

static size_t distinct_x(const members *in, case_field x) {
    size_t count = 0;
    for (size_t i = 0; i < in->count; i++)
        count += first_of_kind(in, i, x);
    return count;
}

/* Points that lines with at least two of them would have. */
static size_t score(const members *held, const series_selection *s, members *scratch) {
    size_t total = 0;
    for (size_t i = 0; i < held->count; i++) {
        if (!first_of_kind(held, i, s->series))
            continue;
        filter(scratch, held, held->list[i]->c, s->series);
        size_t points = distinct_x(scratch, s->x);
        total += points > 1 ? points : 0;
    }
    return total;
}

/* Keeps the members of the hold setting that shows most; ties go to the first in the file. */
static void hold_fields(members *all, const series_selection *s, members *held, members *scratch) {
    size_t best = 0;
    const results_case *like = NULL;
    for (size_t i = 0; i < all->count; i++) {
        if (!first_of_kind(all, i, s->hold))
            continue;
        filter(held, all, all->list[i]->c, s->hold);
        size_t points = score(held, s, scratch);
        if (points > best) {
            best = points;
            like = all->list[i]->c;
        }
    }
    held->count = 0;
    if (like)
        filter(held, all, like, s->hold);
}

static int by_x(const void *a, const void *b) {
    const series_point *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

static void fill_points(series_line *l, const members *from, const series_selection *s) {
    l->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        const measured *m = from->list[i];
        l->points[l->count++] = (series_point){case_number(m->c, s->x), quantity(m, s, m->time),
                                               quantity(m, s, m->low), quantity(m, s, m->high), m};
    }
    qsort(l->points, l->count, sizeof *l->points, by_x);
    size_t kept = 0; /* one point an x: the smallest */
    for (size_t i = 0; i < l->count; i++)
        if (!kept || l->points[kept - 1].x != l->points[i].x)
            l->points[kept++] = l->points[i];
    l->count = kept;
}

/* Whether the free fields are set better in a than in b: more points, then less at the largest x. */
static bool better(const series_line *a, const series_line *b) {
    if (a->count != b->count)
        return a->count > b->count;
    return a->count && a->points[a->count - 1].y < b->points[b->count - 1].y;
}

static int new_line(series_line *l, size_t room, attn_error *error) {
    *l = (series_line){.slope = NAN, .slope_from_x = NAN};
    l->points = attn_alloc(room, sizeof *l->points, "points", error);
    return l->points ? 0 : -1;
}

/* The best setting of the free fields among the members of one line. */
static int best_line(series_line *l, const members *own, const series_selection *s, members *scratch,
                     attn_error *error) {
    case_fields x = s->x | (s->x == FIELD_L ? FIELD_Q : 0) | (s->x == FIELD_H ? FIELD_HKV : 0) |
                    (s->x == FIELD_Q ? FIELD_MODE : 0) | (s->x == FIELD_T ? FIELD_L | FIELD_Q : 0) |
                    (s->x == FIELD_LEFT ? FIELD_L : 0); /* what follows from x */
    case_fields path =
        s->series & FIELD_PATH ? FIELD_ASKED : FIELD_PATH; /* the one that does not name lines */
    case_fields fixed = FIELDS_ALL & ~x & ~path;
    series_line trial;
    if (new_line(l, own->count, error))
        return -1;
    if (new_line(&trial, own->count, error)) {
        attn_free(l->points);
        return -1;
    }
    for (size_t i = 0; i < own->count; i++) {
        if (!first_of_kind(own, i, fixed))
            continue;
        filter(scratch, own, own->list[i]->c, fixed);
        fill_points(&trial, scratch, s);
        if (better(&trial, l)) {
            series_line swap = *l;
            *l = trial;
            trial = swap;
        }
    }
    attn_free(trial.points);
    l->from = l->count ? l->points[0].from : NULL;
    return 0;
}

double series_line_slope(const series_line *l, double *from_x) {
    *from_x = NAN;
    if (l->count < 2)
        return NAN;
    size_t first = l->count - 2;
    while (first > 0 && l->points[first - 1].x >= l->points[l->count - 1].x / 4)
        first--;
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (size_t i = first; i < l->count; i++) {
        double x = log(l->points[i].x), y = log(l->points[i].y);
        n++, sx += x, sy += y, sxx += x * x, sxy += x * y;
    }
    *from_x = l->points[first].x;
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

static void note_runs(series_lines *out, const series_line *l) {
    for (size_t i = 0; i < l->count; i++)
        measured_basis_add(&out->basis, l->points[i].from);
}

static void describe_held(series_lines *out, const series_selection *s, const results_case *c) {
    static const struct {
        case_field field;
        const char *name;
    } numbers[] = {{FIELD_LAYERS, "layers"}, {FIELD_L, "L"},       {FIELD_Q, "q"},
                   {FIELD_H, "h"},           {FIELD_D, "d_model"}, {FIELD_B, "B"}};
    if (s->hold & FIELD_MODEL)
        text_append(out->held, sizeof out->held, "%s, %s input layer", c->model, c->input);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double value = case_number(c, numbers[i].field);
        if (s->hold & numbers[i].field && value > 0)
            text_list(out->held, sizeof out->held, ", ", "%s %.0f", numbers[i].name, value);
    }
    if (s->hold & FIELD_KV && *c->kv)
        text_list(out->held, sizeof out->held, ", ", "%s cache", c->kv);
    const results_case *first[SERIES_LINES];
    for (size_t i = 0; i < out->count; i++)
        first[i] = out->line[i].from->c;
    positions_text(out->positions, sizeof out->positions, first, out->count);
    if (*out->positions)
        text_list(out->held, sizeof out->held, ", ", "%s", out->positions);
    unsaid_append(out->held, sizeof out->held, c, case_fields_unsaid() & ~s->hold);
}

/* "mla dc=256 absorb": what sets the line apart from the others. */
static void name_line(series_line *l, const series_selection *s, const series_lines *all) {
    const results_case *c = l->from->c;
    snprintf(l->label, sizeof l->label, "%s", c->type);
    bool twin = false; /* another line of the type */
    for (size_t i = 0; i < all->count; i++)
        twin |= &all->line[i] != l && !strcmp(all->line[i].from->c->type, c->type);
    if (c->dc && s->series & FIELD_DC)
        text_append(l->label, sizeof l->label, " dc=%zu", c->dc);
    if (c->hkv && s->series & FIELD_HKV)
        text_append(l->label, sizeof l->label, " hkv=%zu", c->hkv);
    if (twin && s->series & FIELD_MODE)
        text_append(l->label, sizeof l->label, " %s", c->mode);
    if (s->series & FIELD_PATH && *case_path(c) && c->dc)
        text_append(l->label, sizeof l->label, " %s", case_path(c));
}

static int by_type(const void *left, const void *right) {
    const series_line *a = left, *b = right;
    size_t p = measured_type_rank(a->from), q = measured_type_rank(b->from);
    return (p > q) - (p < q);
}

/* Lines in excess go: those with fewest points first, later ones among equals. */
static void drop_one(series_lines *out) {
    size_t worst = 0;
    for (size_t i = 1; i < out->count; i++)
        if (out->line[i].count <= out->line[worst].count)
            worst = i;
    attn_free(out->line[worst].points);
    out->count--;
    memmove(&out->line[worst], &out->line[worst + 1], (out->count - worst) * sizeof(series_line));
}

static int add_lines(series_lines *out, const members *held, const series_selection *s, members *own,
                     members *scratch, attn_error *error) {
    for (size_t i = 0; i < held->count; i++) {
        if (!first_of_kind(held, i, s->series))
            continue;
        filter(own, held, held->list[i]->c, s->series);
        series_line l;
        if (best_line(&l, own, s, scratch, error))
            return -1;
        if (l.count < 2) {
            attn_free(l.points);
            continue;
        }
        if (out->count == SERIES_LINES)
            drop_one(out);
        out->line[out->count++] = l;
    }
    return 0;
}

/* The best of mha where all else is as on the line. */
static const measured *mha_beside(const series_line *l, const report_data *data, const series_selection *s) {
    const measured *best = NULL;
    case_fields same = s->hold | (s->series & FIELD_MODE) | (s->y == QUANTITY_CACHE_BYTES ? 0 : FIELD_Q);
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (!strcmp(m->c->kind, "attention") && !strcmp(m->c->type, "mha") &&
            case_same(m->c, l->from->c, same) &&
            (!best || quantity(m, s, m->time) < quantity(best, s, best->time)))
            best = m;
    }
    return best;
}

static int level_line(series_line *l, const measured *m, const series_selection *s,
                      const series_lines *across, attn_error *error) {
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < across->count; i++) {
        least = fmin(least, across->line[i].points[0].x);
        most = fmax(most, across->line[i].points[across->line[i].count - 1].x);
    }
    if (new_line(l, 2, error))
        return -1;
    l->from = m;
    l->count = 2;
    for (size_t i = 0; i < 2; i++)
        l->points[i] = (series_point){i ? most : least, quantity(m, s, m->time), quantity(m, s, m->low),
                                      quantity(m, s, m->high), m};
    return 0;
}

static int add_mha_lines(series_lines *out, const report_data *data, const series_selection *s,
                         attn_error *error) {
    const series_lines others = *out;
    for (size_t i = 0; i < others.count && out->count < SERIES_LINES; i++) {
        const measured *m = mha_beside(&others.line[i], data, s);
        bool there = !m;
        for (size_t k = others.count; k < out->count; k++)
            there |= out->line[k].from == m;
        if (!there && level_line(&out->line[out->count++], m, s, &others, error)) {
            out->count--;
            return -1;
        }
    }
    return 0;
}

int series_select(series_lines *out, const report_data *data, const series_selection *s, attn_error *error) {
    *out = (series_lines){0};
    members set[4] = {{0}};
    int result = 0;
    for (size_t i = 0; i < 4; i++) {
        set[i].list = attn_alloc(data->count, sizeof *set[i].list, "cases", error);
        if (!set[i].list)
            result = -1;
    }
    if (result)
        goto done;
    for (size_t i = 0; i < data->count; i++)
        if (eligible(&data->cases[i], s))
            set[0].list[set[0].count++] = &data->cases[i];
    series_selection held = *s;
    held.hold |= case_fields_unsaid() & ~(s->series | s->x);
    hold_fields(&set[0], &held, &set[1], &set[2]);
    result = add_lines(out, &set[1], s, &set[2], &set[3], error);
    if (result || !out->count)
        goto done;
    const results_case *like = out->line[0].from->c;
    if (s->mha_line && add_mha_lines(out, data, s, error)) {
        result = -1;
        goto done;
    }
    qsort(out->line, out->count, sizeof(series_line), by_type);
    describe_held(out, s, like);
    for (size_t i = 0; i < out->count; i++) {
        name_line(&out->line[i], s, out);
        note_runs(out, &out->line[i]);
        if (s->slope)
            out->line[i].slope = series_line_slope(&out->line[i], &out->line[i].slope_from_x);
    }
done:
    for (size_t i = 0; i < 4; i++)
        attn_free(set[i].list);
    if (result)
        series_free(out);
    return result;
}

void series_free(series_lines *l) {
    for (size_t i = 0; i < l->count; i++)
        attn_free(l->line[i].points);
    *l = (series_lines){0};
}

const series_line *series_line_of(const series_lines *l, const char *type) {
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->line[i].from->c->type, type))
            return &l->line[i];
    return NULL;
}

const series_point *series_point_at(const series_line *l, double x) {
    for (size_t i = 0; i < l->count; i++)
        if (l->points[i].x == x)
            return &l->points[i];
    return NULL;
}

static size_t lines_at(const series_lines *l, double x) {
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++)
        count += series_point_at(&l->line[i], x) != NULL;
    return count;
}

bool series_apart(const series_point *a, const series_point *b) {
    return process_apart((process_range){a->low, a->high, a->from->processes},
                         (process_range){b->low, b->high, b->from->processes});
}

double series_common_x(const series_lines *l) {
    double best = NAN;
    size_t most = 0;
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->line[i].count; k++) {
            double x = l->line[i].points[k].x;
            size_t have = lines_at(l, x);
            if (have > most || (have == most && x > best)) {
                most = have;
                best = x;
            }
        }
    return best;
}
