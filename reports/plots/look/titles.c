#include "reports/plots/look/titles.h"

#include "base/text/append.h"
#include "reports/data/case_names.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double SAME = 0.005; /* bytes are exact: this is for their display */

static void name_of(char *text, size_t size, const series_line *l) {
    case_short_name(text, size, l->from->c);
}

/* A sentence begins with a large letter. */
static void start_large(char *text) {
    *text = (char)toupper((unsigned char)*text);
}

/* The line other than MHA with least y at x, and MHA's own; false when one is missing. */
static bool least_and_mha(const series_lines *l, double x, const series_line **least,
                          const series_line **mha) {
    *least = NULL;
    *mha = series_line_of(l, "mha");
    for (size_t i = 0; i < l->count; i++) {
        const series_point *p = series_point_at(&l->line[i], x);
        if (p && &l->line[i] != *mha && (!*least || p->y < series_point_at(*least, x)->y))
            *least = &l->line[i];
    }
    return *least && *mha && series_point_at(*mha, x);
}

static void say_fastest(char *text, size_t size, const series_lines *l, const char *verb, const char *key) {
    const series_line *least, *mha;
    double x = series_common_x(l);
    char name[CASE_NAME];
    if (!least_and_mha(l, x, &least, &mha))
        return;
    const series_point *own = series_point_at(least, x), *base = series_point_at(mha, x);
    name_of(name, sizeof name, least);
    if (!series_apart(own, base))
        snprintf(text, size, "No difference found between %s and MHA at %s = %.0f", name, key, x);
    else if (own->y < base->y)
        snprintf(text, size, "%s %s in %.2g of MHA's time at %s = %.0f", name, verb, own->y / base->y, key,
                 x);
    else
        snprintf(text, size, "Nothing is faster than MHA at %s = %.0f: %s takes %.2f of its time", key, x,
                 name, own->y / base->y);
    start_large(text);
}

void title_decode(char *text, size_t size, const series_lines *l) {
    say_fastest(text, size, l, "decodes", "L");
}

void title_prefill(char *text, size_t size, const series_lines *l) {
    say_fastest(text, size, l, "takes a whole input", "L");
}

void title_stream(char *text, size_t size, const series_lines *l) {
    const series_line *mha = series_line_of(l, "mha"), *mla = series_line_of(l, "mla");
    double x = series_common_x(l);
    const series_point *own = mla ? series_point_at(mla, x) : NULL,
                       *base = mha ? series_point_at(mha, x) : NULL;
    char name[CASE_NAME];
    if (!own || !base)
        return;
    name_of(name, sizeof name, mla);
    if (series_apart(own, base))
        snprintf(text, size, "Behind %.0f chunks a stream with %s takes %.2f of MHA's time", x, name,
                 own->y / base->y);
    else
        snprintf(text, size, "Behind %.0f chunks no difference found between %s and MHA", x, name);
}

/* "MLA 256 and GQA 2": those with as few bytes as the least. */
static size_t name_least(char *text, size_t size, const series_lines *l, double x, double least) {
    size_t count = 0, at = 0;
    for (size_t i = 0; i < l->count; i++) {
        const series_point *p = series_point_at(&l->line[i], x);
        count += p && fabs(p->y / least - 1) < SAME;
    }
    for (size_t i = 0; i < l->count; i++) {
        const series_point *p = series_point_at(&l->line[i], x);
        char name[CASE_NAME];
        if (!p || fabs(p->y / least - 1) >= SAME)
            continue;
        name_of(name, sizeof name, &l->line[i]);
        text_append(text, size, "%s%s", !at ? "" : at + 1 == count ? " and " : ", ", name);
        at++;
    }
    return count;
}

static void say_smallest(char *text, size_t size, const series_lines *l, const char *where) {
    const series_line *least, *mha;
    double x = series_common_x(l);
    if (!least_and_mha(l, x, &least, &mha))
        return;
    double own = series_point_at(least, x)->y, base = series_point_at(mha, x)->y;
    if (own >= base)
        return;
    bool several = name_least(text, size, l, x, own) > 1;
    text_append(text, size, " keep%s %.2g%% of MHA's bytes %s %.0f", several ? "" : "s", 100 * own / base,
                where, x);
    start_large(text);
}

void title_smallest(char *text, size_t size, const series_lines *l) {
    say_smallest(text, size, l, "at L =");
}

void title_stream_cache(char *text, size_t size, const series_lines *l) {
    say_smallest(text, size, l, "in a stream, chunks kept:");
}

/* ---- from one end of a line to the other */

static double growth(const series_line *l) {
    return l->points[l->count - 1].y / l->points[0].y;
}

/* What changes most; level lines of MHA, which stand for comparison, do not count. */
static const series_line *steepest(const series_lines *l) {
    const series_line *best = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const series_line *one = &l->line[i];
        if (one->count < 2 || one->points[0].from == one->points[one->count - 1].from)
            continue;
        if (!best || fabs(log(growth(one))) > fabs(log(growth(best))))
            best = one;
    }
    return best;
}

static void say_growth(char *text, size_t size, const series_lines *l, const char *what) {
    const series_line *one = steepest(l);
    char name[CASE_NAME];
    if (!one)
        return;
    const series_point *first = &one->points[0], *last = &one->points[one->count - 1];
    type_name(name, sizeof name, one->from->c->type);
    if (!series_apart(first, last))
        snprintf(text, size, "%s: no difference found between %.0f and %.0f %s", name, first->x, last->x,
                 what);
    else
        snprintf(text, size, "%s: %.0f %s take %.2g times the time of %.0f", name, last->x, what, growth(one),
                 first->x);
}

void title_latent_time(char *text, size_t size, const series_lines *l) {
    say_growth(text, size, l, "numbers of latent");
}

void title_heads_time(char *text, size_t size, const series_lines *l) {
    say_growth(text, size, l, "heads");
}

void title_kv_heads_time(char *text, size_t size, const series_lines *l) {
    say_growth(text, size, l, "key/value heads");
}

void title_latent_bytes(char *text, size_t size, const series_lines *l) {
    const series_line *mha = series_line_of(l, "mha"), *one = steepest(l);
    char name[CASE_NAME];
    if (!mha || !one)
        return;
    const series_point *last = &one->points[one->count - 1];
    type_name(name, sizeof name, one->from->c->type);
    snprintf(text, size, "%s with a latent of %.0f keeps %.3g%% of MHA's bytes", name, last->x,
             100 * last->y / mha->points[0].y);
}

void title_heads_bytes(char *text, size_t size, const series_lines *l) {
    const series_line *mha = series_line_of(l, "mha");
    if (!mha)
        return;
    const series_point *first = &mha->points[0], *last = &mha->points[mha->count - 1];
    if (fabs(growth(mha) - 1) < SAME)
        snprintf(text, size, "MHA's cache has one size with %.0f to %.0f heads", first->x, last->x);
    else
        snprintf(text, size, "MHA's cache with %.0f heads is %.2g times that with %.0f", last->x, growth(mha),
                 first->x);
}

void title_kv_heads_bytes(char *text, size_t size, const series_lines *l) {
    const series_line *one = steepest(l);
    char bytes[32];
    if (!one)
        return;
    const series_point *first = &one->points[0], *last = &one->points[one->count - 1];
    bytes_text(bytes, sizeof bytes, (last->y - first->y) / (last->x - first->x));
    snprintf(text, size, "Each key/value head of a layer costs %s", bytes);
}

/* ---- two orders of evaluation */

const series_line *title_path_line(const series_lines *l, const char *type, const char *path) {
    for (size_t i = 0; i < l->count; i++) {
        const results_case *c = l->line[i].from->c;
        if (!strcmp(c->type, type) && !strcmp(case_path(c), path))
            return &l->line[i];
    }
    return NULL;
}

void title_crossing(const series_line *a, const series_line *b, double *faster_to, double *slower_from) {
    *faster_to = *slower_from = NAN;
    for (size_t i = 0; i < a->count; i++) {
        const series_point *p = &a->points[i], *q = series_point_at(b, p->x);
        if (q && series_apart(p, q) && p->y < q->y)
            *faster_to = p->x;
        else if (q && series_apart(p, q) && p->y > q->y && isnan(*slower_from))
            *slower_from = p->x;
    }
}

void title_paths(char *text, size_t size, const series_lines *l) {
    const series_line *expand = title_path_line(l, "mla", "expand"),
                      *absorb = title_path_line(l, "mla", "absorb");
    double absorb_to, expand_from;
    if (!expand || !absorb)
        return;
    title_crossing(absorb, expand, &absorb_to, &expand_from);
    if (!isnan(absorb_to) && !isnan(expand_from))
        snprintf(text, size, "Absorbing wins up to %.0f new frames, expanding from %.0f", absorb_to,
                 expand_from);
    else if (!isnan(absorb_to))
        snprintf(text, size, "Absorbing wins up to %.0f new frames, and nowhere expanding", absorb_to);
    else if (!isnan(expand_from))
        snprintf(text, size, "Expanding wins from %.0f new frames on, and nowhere absorbing", expand_from);
    else
        snprintf(text, size, "No difference found between absorbing and expanding");
}
