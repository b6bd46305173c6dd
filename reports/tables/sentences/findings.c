#include "reports/tables/sentences/findings.h"

#include "base/text/append.h"

#include "reports/data/case_names.h"
#include "reports/plots/look/titles.h"
#include "reports/tables/encoder_section.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(json_t *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(json_t *list, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    json_array_append_new(list, json_vsprintf(format, arguments));
    va_end(arguments);
}

/* The lines with the least and the most y at x. */
static void extremes(const series_lines *l, double x, const series_line **least, const series_line **most) {
    *least = *most = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const series_point *p = series_point_at(&l->line[i], x);
        if (p && (!*least || p->y < series_point_at(*least, x)->y))
            *least = &l->line[i];
        if (p && (!*most || p->y > series_point_at(*most, x)->y))
            *most = &l->line[i];
    }
}

static void name_of(char name[CASE_NAME], const series_line *l) {
    case_short_name(name, CASE_NAME, l->from->c);
}

static void say_cache(json_t *list, const series_lines *cache) {
    double x = series_common_x(cache);
    const series_line *mha = series_line_of(cache, "mha"), *least, *most;
    extremes(cache, x, &least, &most);
    if (!mha || !least || !series_point_at(mha, x) || least == mha)
        return;
    double own = series_point_at(least, x)->y, base = series_point_at(mha, x)->y;
    char own_text[32], base_text[32], name[CASE_NAME];
    name_of(name, least);
    bytes_text(own_text, sizeof own_text, own);
    bytes_text(base_text, sizeof base_text, base);
    say(list, "Smallest cache at L = %.0f, %s: %s, %s a layer, %.3g%% of MHA's %s.", x, cache->held, name,
        own_text, 100 * own / base, base_text);
}

static void compare(char *text, size_t size, const series_line *l, const series_line *mha, double x) {
    const series_point *own = series_point_at(l, x), *base = series_point_at(mha, x);
    bool apart = series_apart(own, base);
    char name[CASE_NAME];
    name_of(name, l);
    if (l == mha)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "%s at %.3g times MHA's speed%s", name, base->y / own->y,
                 apart ? "" : " (no clear difference)");
}

static void say_speed(json_t *list, const char *what, const series_lines *l) {
    double x = series_common_x(l);
    const series_line *mha = series_line_of(l, "mha"), *least, *most;
    extremes(l, x, &least, &most);
    const series_point *base = mha ? series_point_at(mha, x) : NULL;
    if (!base || !least || least == most)
        return;
    char fast[192], slow[192];
    compare(fast, sizeof fast, least, mha, x);
    compare(slow, sizeof slow, most, mha, x);
    say(list, "%s at L = %.0f, %s: fastest is %s, slowest %s.", what, x, l->positions, fast, slow);
}

static void say_slopes(json_t *list, const series_lines *prefill) {
    char text[400] = "", name[CASE_NAME];
    for (size_t i = 0; i < prefill->count; i++) {
        name_of(name, &prefill->line[i]);
        if (!isnan(prefill->line[i].slope))
            text_list(text, sizeof text, ", ", "%s L^%.2f", name, prefill->line[i].slope);
    }
    if (*text)
        say(list, "Prefill time grows as %s at the largest lengths (%s).", text, prefill->positions);
}

/* Up to which q absorbing is faster and from where expanding is, among the q that both ran; only where
 * the two are apart. */
static void say_paths(json_t *list, const series_lines *paths, const char *type) {
    const series_line *expand = title_path_line(paths, type, "expand"),
                      *absorb = title_path_line(paths, type, "absorb");
    double absorb_to, expand_from;
    if (!expand || !absorb)
        return;
    title_crossing(absorb, expand, &absorb_to, &expand_from);
    char absorbs[64] = "", expands[64] = "", name[CASE_NAME];
    type_name(name, sizeof name, type);
    if (!isnan(absorb_to))
        snprintf(absorbs, sizeof absorbs, "absorb is faster up to q = %.0f", absorb_to);
    if (!isnan(expand_from))
        snprintf(expands, sizeof expands, "expand is faster from q = %.0f", expand_from);
    if (*absorbs || *expands)
        say(list, "%s at %s: %s%s%s (where they are clearly apart).", name, paths->held, absorbs,
            *absorbs && *expands ? ", " : "", expands);
}

static void say_roof(json_t *list, const report_data *data) {
    const measured *best = NULL;
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (!strcmp(m->c->kind, "attention") && !isnan(m->sgemm) && (!best || m->sgemm > best->sgemm))
            best = m;
    }
    if (best)
        say(list,
            "Best use of the machine by one layer: %.3g GFLOP/s, %.3g%% of its measured sgemm rate%s, by "
            "%s %s at L = %zu (pos %s).",
            best->gflops, 100 * best->sgemm,
            best->sgemm > 1 ? " (more than all of it: that rate was measured too low)" : "", best->c->type,
            best->c->mode, best->c->L, best->c->pos);
}

json_t *findings_list(const table_sources *from) {
    json_t *list = json_array();
    say_cache(list, from->cache);
    say_speed(list, "Decode", from->decode);
    say_speed(list, "Prefill", from->prefill);
    say_slopes(list, from->prefill);
    for (size_t i = 0; attn_variants[i]; i++)
        if (attn_variants[i]->has_latent)
            say_paths(list, from->paths, attn_variants[i]->name);
    say_roof(list, from->data);
    say_encoders(list, from->data);
    return list;
}
