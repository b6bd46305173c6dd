/* The key findings as a table: each type against MHA at the largest length that all types share. */
#include "base/text/append.h"
#include "reports/data/case_names.h"
#include "reports/tables/table_list.h"

#include <math.h>
#include <string.h>

static const double MIB = 1048576;

/* The line of the same type and compression, or NULL. */
static const series_line *twin_of(const series_line *l, const series_lines *in) {
    for (size_t i = 0; i < in->count; i++)
        if (case_same(in->line[i].from->c, l->from->c, FIELD_TYPE | FIELD_DC | FIELD_HKV))
            return &in->line[i];
    return NULL;
}

typedef struct against {
    double value, ratio; /* the line's own, and MHA's over it */
    bool apart;          /* series_apart */
} against;

static against against_mha(const series_line *l, const series_lines *in, double x) {
    against a = {NAN, NAN, false};
    const series_line *own = l ? twin_of(l, in) : NULL, *mha = series_line_of(in, "mha");
    const series_point *p = own ? series_point_at(own, x) : NULL,
                       *base = mha ? series_point_at(mha, x) : NULL;
    if (p)
        a.value = p->y;
    if (p && base) {
        a.ratio = base->y / p->y;
        a.apart = series_apart(p, base);
    }
    return a;
}

static double slope_of(const series_line *l, const series_lines *prefill) {
    const series_line *own = twin_of(l, prefill);
    return own ? own->slope : NAN;
}

/* What caching the layer's input would take, by the latent's formula at latent_dim = d_model. */
static void add_input_cache(report_table *t, const series_lines *cache, double x) {
    const attn_variant *latent = attn_variant_find("mla_simple");
    const series_line *mha = series_line_of(cache, "mha");
    const series_point *base = mha ? series_point_at(mha, x) : NULL;
    if (!base || !latent)
        return;
    const results_case *c = base->from->c;
    attn_geometry g = {.d_model = c->d, .num_heads = c->h};
    double frames = (double)c->B * (double)c->L * (double)c->d;
    if (strcmp(c->kv, "f32") || frames > 1e15 || attn_geometry_complete(&g, latent, NULL, NULL))
        return;
    double bytes = (double)latent->cache_bytes(&g, c->B, c->L, ATTN_ELEMENT_F32);
    table_add(&t->t, json_pack("{s:s, s:o, s:o}", "type", "input cache (by formula)", "cache_mib",
                               four_digits(bytes / MIB), "cache_of_mha_percent",
                               four_digits(100 * bytes / base->y)));
}

static void add_row(report_table *t, const series_line *l, const series_lines *cache,
                    const series_lines *decode, const series_lines *prefill) {
    against bytes = against_mha(l, cache, series_common_x(cache));
    against step = against_mha(l, decode, series_common_x(decode));
    against whole = against_mha(l, prefill, series_common_x(prefill));
    bool is_mha = !strcmp(l->from->c->type, "mha");
    char overlap[64] = "";
    if (!is_mha && !isnan(step.ratio) && !step.apart)
        strcat(overlap, "decode");
    if (!is_mha && !isnan(whole.ratio) && !whole.apart)
        strcat(overlap, *overlap ? ", prefill" : "prefill");
    char label[CASE_NAME];
    case_short_name(label, sizeof label, l->from->c);
    table_add(&t->t, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type", label, "cache_mib",
                               four_digits(bytes.value / MIB), "cache_of_mha_percent",
                               four_digits(100 / bytes.ratio), "decode_ms", four_digits(step.value / 1e6),
                               "decode_speed", four_digits(step.ratio), "prefill_ms",
                               four_digits(whole.value / 1e6), "prefill_speed", four_digits(whole.ratio),
                               "prefill_slope", four_digits(slope_of(l, prefill)), "overlap",
                               *overlap ? json_string(overlap) : json_null()));
}

/* The lines of a column may be of other cases than those of the caches. */
static void note_positions(report_table *t, const char *what, const series_lines *l,
                           const series_lines *cache) {
    if (l->count && strcmp(l->positions, cache->positions))
        text_append(t->note, sizeof t->note, " %s times are of cases with %s.", what, l->positions);
}

/* The longest list of types: cache bytes exist for every mode. */
void table_summary(report_table *t, const table_sources *from) {
    const series_lines *cache = from->cache, *decode = from->decode, *prefill = from->prefill;
    report_table_init(t, "Each type against MHA");
    report_column(t, "type", "type");
    if (cache->count) {
        report_column(t, "cache_mib", "cache, MiB at L = %.0f", series_common_x(cache));
        report_column(t, "cache_of_mha_percent", "%% of MHA's cache");
    }
    if (decode->count) {
        report_column(t, "decode_ms", "decode, ms a frame at L = %.0f", series_common_x(decode));
        report_column(t, "decode_speed", "decode speed / MHA's");
    }
    if (prefill->count) {
        report_column(t, "prefill_ms", "prefill, ms at L = %.0f", series_common_x(prefill));
        report_column(t, "prefill_speed", "prefill speed / MHA's");
        report_column(t, "prefill_slope", "prefill slope");
    }
    for (size_t i = 0; i < cache->count; i++)
        add_row(t, &cache->line[i], cache, decode, prefill);
    add_input_cache(t, cache, series_common_x(cache));
    bool overlaps = false;
    size_t i;
    json_t *row;
    json_array_foreach(t->t.rows, i, row) {
        overlaps |= json_is_string(json_object_get(row, "overlap"));
    }
    if (overlaps)
        report_column(t, "overlap", "no clear difference from MHA");
    snprintf(t->note, sizeof t->note,
             "One layer; %s. Cache bytes are allocated ones. The input cache keeps the layer's input instead "
             "of K and V: what any latent of d_model floats costs.",
             cache->held);
    note_positions(t, "Decode", decode, cache);
    note_positions(t, "Prefill", prefill, cache);
}

void table_prefill_slopes(report_table *t, const table_sources *from) {
    const series_lines *prefill = from->prefill;
    report_table_init(t, "Prefill: how time grows with length");
    report_column(t, "type", "type");
    report_column(t, "slope", "slope");
    report_column(t, "from_L", "fitted from L");
    report_column(t, "to_L", "to L");
    report_column(t, "points", "points");
    for (size_t i = 0; i < prefill->count; i++) {
        const series_line *l = &prefill->line[i];
        size_t points = 0;
        for (size_t k = 0; k < l->count; k++)
            points += l->points[k].x >= l->slope_from_x;
        json_t *from_x = isnan(l->slope_from_x) ? json_null() : json_real(l->slope_from_x);
        table_add(&t->t, json_pack("{s:s, s:o, s:o, s:f, s:I}", "type", l->label, "slope",
                                   four_digits(l->slope), "from_L", from_x, "to_L", l->points[l->count - 1].x,
                                   "points", (json_int_t)points));
    }
    snprintf(t->note, sizeof t->note, "Least squares through the logarithms of medians; %s.", prefill->held);
}
