/* Expanding against absorbing, on every point that both ran: which is faster, and what path:auto, which goes by FLOPs,
 * takes and loses there. */
#include "reports/data/case_names.h"
#include "reports/tables/measured_row.h"
#include "reports/tables/table_list.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double CLOSE = 1.1; /* times the better path's time: as near as path:auto is to be */

typedef struct point {
    const measured *expand, *absorb;
} point;

static bool asked_for(const measured *m, attn_path path) {
    return !strcmp(m->c->kind, "attention") && !strcmp(m->c->path, attn_path_names[path]);
}

static const measured *expanded(const report_data *data, const measured *absorb) {
    for (size_t i = 0; i < data->count; i++)
        if (asked_for(&data->cases[i], ATTN_PATH_EXPAND) &&
            case_same(data->cases[i].c, absorb->c, FIELDS_ALL & ~(case_fields)(FIELD_PATH | FIELD_ASKED)))
            return &data->cases[i];
    return NULL;
}

static attn_path chosen(const measured *m) {
    const results_case *c = m->c;
    attn_geometry g = {.d_model = c->d, .num_heads = c->h, .latent_dim = c->dc};
    return attn_path_resolve(m->variant, &g, c->B, c->q, c->L, ATTN_PATH_AUTO);
}

/* The time of what path:auto takes, as a multiple of the better one's. */
static double loss_of(const point *p) {
    double better = fmin(p->expand->best, p->absorb->best);
    return (chosen(p->absorb) == ATTN_PATH_ABSORB ? p->absorb->best : p->expand->best) / better;
}

static int by_shape(const void *left, const void *right) {
    static const case_field order[] = {FIELD_TYPE, FIELD_MODE, FIELD_KV, FIELD_POS, FIELD_B,
                                       FIELD_D,    FIELD_H,    FIELD_DC, FIELD_L,   FIELD_Q};
    return measured_compare(((const point *)left)->absorb, ((const point *)right)->absorb, order,
                            sizeof order / sizeof *order);
}

static void add_row(report_table *t, const point *p) {
    const results_case *c = p->absorb->c;
    bool absorbs = p->absorb->best < p->expand->best;
    char label[CASE_NAME];
    case_short_name(label, sizeof label, c);
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:o}", "label", label, "type",
                            c->type, "mode", c->mode, "expand_ms", four_digits(p->expand->best / 1e6),
                            "absorb_ms", four_digits(p->absorb->best / 1e6), "expand_of_absorb",
                            four_digits(p->expand->best / p->absorb->best), "expand_of_absorb_flops",
                            four_digits(p->expand->c->flops / c->flops), "faster",
                            attn_path_names[absorbs ? ATTN_PATH_ABSORB : ATTN_PATH_EXPAND], "auto",
                            attn_path_names[chosen(p->absorb)], "auto_loses_percent",
                            four_digits(100 * (loss_of(p) - 1)));
    static const struct {
        const char *key;
        case_field field;
    } sizes[] = {{"q", FIELD_Q}, {"L", FIELD_L},     {"dc", FIELD_DC}, {"h", FIELD_H},
                 {"d", FIELD_D}, {"pos", FIELD_POS}, {"B", FIELD_B}};
    int bad = !row;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        bad |= json_object_set_new(row, sizes[i].key, case_value(c, sizes[i].field));
    if (bad) {
        json_decref(row);
        row = NULL;
    }
    table_add(&t->t, row);
}

static void set_columns(report_table *t) {
    static const char *const columns[][2] = {{"label", "type"},
                                             {"mode", "mode"},
                                             {"L", "L"},
                                             {"q", "q"},
                                             {"expand_ms", "expand, ms"},
                                             {"absorb_ms", "absorb, ms"},
                                             {"expand_of_absorb", "expand / absorb"},
                                             {"expand_of_absorb_flops", "the same in FLOPs"},
                                             {"faster", "faster"},
                                             {"auto", "path:auto"},
                                             {"auto_loses_percent", "it loses, %"}};
    static const char *const in_files[] = {"type", "dc", "h", "d", "pos", "B"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        report_column(t, columns[i][0], "%s", columns[i][1]);
    for (size_t i = 0; i < sizeof in_files / sizeof *in_files; i++) {
        report_column(t, in_files[i], "%s", in_files[i]);
        report_column_in_files(t);
    }
}

void table_crossover(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "MLA paths: expanding against absorbing");
    point *points = attn_alloc(data->count + 1, sizeof *points, "rows", NULL);
    size_t count = 0, close = 0;
    for (size_t i = 0; points && i < data->count; i++) {
        point p = {.absorb = &data->cases[i]};
        if (!asked_for(p.absorb, ATTN_PATH_ABSORB) || !p.absorb->variant ||
            !(p.expand = expanded(data, p.absorb)))
            continue;
        points[count++] = p;
        close += loss_of(&p) <= CLOSE;
    }
    if (!points)
        table_add(&t->t, NULL);
    else if (count)
        qsort(points, count, sizeof *points, by_shape);
    set_columns(t);
    for (size_t i = 0; i < count; i++)
        add_row(t, &points[i]);
    snprintf(t->note, sizeof t->note,
             "Both paths on the same point, the best of the runs of each. path:auto takes the path with "
             "fewer FLOPs, as "
             "the kernels of both run at about the same rate: it is within %.0f%% of the better one on %zu "
             "of %zu points.",
             100 * (CLOSE - 1), close, count);
    attn_free(points);
}
