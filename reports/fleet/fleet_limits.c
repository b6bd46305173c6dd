/* What the machines were measured to do, next to each other. */
#include "harness/machine/survey.h"
#include "reports/data/rounding.h"
#include "reports/fleet/compared.h"
#include "reports/fleet/fleet_tables.h"

#include <math.h>
#include <string.h>

typedef enum limit_unit { GFLOPS, GOPS, GBYTES, GIGAHERTZ, NANOSECONDS, UNITS } limit_unit;
static const char *const unit_names[UNITS] = {"GFLOP/s", "Gop/s", "GB/s", "GHz", "ns"};

/* Which limit it is, and in which place of the machine: the same name on all machines, whose caches differ in size. */
static limit_unit name_limit(char *name, size_t size, const fleet_machine *m, const results_case *c) {
    const char *level = c->working_set ? machine_level(&m->data, (double)c->working_set) : "";
    bool stepped = c->steps > 0, clock = !strcmp(c->what, "clock"), products = !strcmp(c->what, "products");
    const char *code = products ? c->unit : c->working_set || !strcmp(c->what, "sgemm") ? "" : c->isa;
    snprintf(name, size, "%s%s%s%s%s%s%s%s", c->what, *code ? " " : "", code, *level ? ", " : "", level,
             *c->pages ? ", pages " : "", c->pages, c->t > 1 ? ", all cores" : "");
    if (clock || stepped)
        return clock ? GIGAHERTZ : NANOSECONDS;
    return c->working_set ? GBYTES : products && survey_is_whole(code) ? GOPS : GFLOPS;
}

static double value_of(const measured *m, limit_unit unit) {
    switch (unit) {
    case GIGAHERTZ:
        return m->c->steps / m->best;
    case NANOSECONDS:
        return m->best / m->c->steps;
    case GBYTES:
        return m->c->bytes / m->best;
    default:
        return m->c->flops / m->best;
    }
}

/* Caches hold a part of each set in memory, of the largest one the least: its bandwidth counts. */
static bool is_better(const measured *row, limit_unit unit, bool memory, const measured *than) {
    if (memory && unit == GBYTES && row->c->working_set != than->c->working_set)
        return row->c->working_set > than->c->working_set;
    return unit == NANOSECONDS ? value_of(row, unit) < value_of(than, unit)
                               : value_of(row, unit) > value_of(than, unit);
}

/* The best of its rows, of latency the least; NaN without one. */
static double limit_of(const fleet_machine *m, const char *name) {
    const measured *best = NULL;
    limit_unit unit = UNITS;
    bool memory = strstr(name, ", memory") != NULL;
    char own[96];
    for (size_t i = 0; i < m->data.count; i++) {
        const measured *row = &m->data.cases[i];
        if (strcmp(row->c->kind, "machine"))
            continue;
        limit_unit its = name_limit(own, sizeof own, m, row->c);
        if (strcmp(own, name) || (best && !is_better(row, its, memory, best)))
            continue;
        best = row;
        unit = its;
    }
    return best ? value_of(best, unit) : NAN;
}

static void add_limit(report_table *t, const fleet *f, const char *name, limit_unit unit) {
    double base = limit_of(&f->machine[f->base], name);
    json_t *row = json_pack("{s:s, s:s}", "limit", name, "unit", unit_names[unit]);
    for (size_t i = 0; row && i < f->count; i++) {
        double value = limit_of(&f->machine[i], name);
        json_object_set_new(row, f->machine[i].key, four_digits(value));
        json_object_set_new(row, f->machine[i].speed_key,
                            four_digits(unit == NANOSECONDS ? base / value : value / base));
    }
    table_add(&t->t, row);
}

/* Levels between two ("L2/memory") are of no use next to those of another machine, nor is a partner's number. */
static bool is_comparable(const char *name) {
    return !strchr(name, '/') && strcmp(name, "handoff") != 0;
}

void table_fleet_limits(report_table *t, const fleet *f) {
    report_table_init(t, "Limits of the machines, measured");
    report_column(t, "limit", "limit");
    report_column(t, "unit", "unit");
    fleet_value_columns(t, f, "");
    fleet_speed_columns(t, f);
    json_t *seen = json_object();
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->machine[i].data.count; k++) {
            const results_case *c = f->machine[i].data.cases[k].c;
            char name[96];
            if (strcmp(c->kind, "machine"))
                continue;
            limit_unit unit = name_limit(name, sizeof name, &f->machine[i], c);
            if (!is_comparable(name) || json_object_get(seen, name))
                continue;
            json_object_set_new(seen, name, json_true());
            add_limit(t, f, name, unit);
        }
    json_decref(seen);
    snprintf(
        t->note, sizeof t->note,
        "The best of all runs and sizes; the bandwidth of memory is that of the largest size. Levels are "
        "each machine's own (its page has the sizes), so that L2 is next to L2. × base is above 1 where the "
        "machine does more than %s, or waits less.",
        f->machine[f->base].name);
}
