/* Counters of the cases that machines share. */
#include "reports/data/counter_values.h"
#include "reports/data/rounding.h"
#include "reports/fleet/compared.h"
#include "reports/fleet/fleet_tables.h"

#include <math.h>

/* What the machine counts over what the base counts, over the cases in which both count something. */
static double ratio_of(size_t *common, const fleet *f, size_t machine, const char *counter) {
    double sum = 0;
    *common = 0;
    for (size_t i = 0; i < f->cases; i++) {
        const measured *base = f->list[i].of[f->base], *own = f->list[i].of[machine];
        double ratio = base && own ? fleet_counter(own, counter) / fleet_counter(base, counter) : NAN;
        if (!(ratio > 0 && isfinite(ratio)))
            continue;
        sum += log(ratio);
        ++*common;
    }
    return *common ? exp(sum / (double)*common) : NAN;
}

static void add_counter(report_table *t, const fleet *f, const char *counter, const char *mark) {
    double ratio[FLEET_MAX];
    size_t common[FLEET_MAX];
    for (size_t i = 0; i < f->count; i++)
        ratio[i] = ratio_of(&common[i], f, i, counter);
    fleet_add_ratios(t, f, json_pack("{s:s+}", "counter", counter, mark), ratio, common);
}

void table_fleet_counters(report_table *t, const fleet *f) {
    report_table_init(t, "Counters against the base");
    report_column(t, "counter", "counter");
    report_column(t, "cases", "cases shared");
    fleet_speed_columns(t, f);
    json_t *seen = json_object(), *counter;
    const char *name;
    for (size_t i = 0; i < f->cases; i++) {
        const measured *m = f->list[i].of[f->base];
        if (!m || !m->c->count)
            continue;
        json_object_foreach((json_t *)m->c->samples[0].counters, name, counter) {
            if (json_object_get(seen, name) || !counter_is_shown(counter))
                continue;
            json_object_set_new(seen, name, json_true());
            add_counter(t, f, name, counter_mark(counter));
        }
    }
    json_decref(seen);
    snprintf(t->note, sizeof t->note,
             "What the machine counts in an iteration over what %s counts, geometric means over the cases in "
             "which both "
             "count something. Those that one of them cannot count, or counts wrong, are left out.",
             f->machine[f->base].name);
}
