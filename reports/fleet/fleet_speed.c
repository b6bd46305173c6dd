/* How fast the machines are: by what the cases are of, and case by case. */
#include "reports/data/rounding.h"
#include "reports/fleet/compared.h"
#include "reports/fleet/fleet_tables.h"

#include <string.h>

/* One row: what, quantity, how many cases, and a ratio each machine. None where no machine shares a case with the
 * base. */
static void add_group(report_table *t, const fleet *f, const char *group, fleet_quantity quantity) {
    double speed[FLEET_MAX];
    size_t common[FLEET_MAX];
    for (size_t i = 0; i < f->count; i++)
        speed[i] = fleet_speed(&common[i], f, i, group, quantity);
    json_t *row =
        json_pack("{s:s, s:s}", "group", group ? group : "all", "measure", fleet_quantity_names[quantity]);
    fleet_add_ratios(t, f, row, speed, common);
}

/* All machines have it in the same shape. */
static const results_case *case_of(const fleet_case *c) {
    size_t i = 0;
    while (!c->of[i])
        i++;
    return c->of[i]->c;
}

static bool is_first_of_group(char *group, size_t size, const fleet *f, size_t at) {
    char other[96];
    fleet_group(group, size, case_of(&f->list[at]));
    for (size_t i = 0; i < at; i++) {
        fleet_group(other, sizeof other, case_of(&f->list[i]));
        if (!strcmp(other, group))
            return false;
    }
    return true;
}

static bool are_counted(const fleet *f) {
    size_t common = 0;
    for (size_t i = 0; !common && i < f->count; i++)
        if (i != f->base)
            fleet_speed(&common, f, i, NULL, FLEET_CYCLES);
    return common;
}

void table_fleet_speed(report_table *t, const fleet *f) {
    char group[96];
    report_table_init(t, "Speed against the base");
    report_column(t, "group", "cases of");
    report_column(t, "measure", "by");
    report_column(t, "cases", "cases shared");
    fleet_speed_columns(t, f);
    for (int q = 0; q < FLEET_QUANTITIES; q++) {
        if (q == FLEET_BY_CLOCK && are_counted(f))
            continue;
        add_group(t, f, NULL, (fleet_quantity)q);
        for (size_t i = 0; i < f->cases; i++)
            if (is_first_of_group(group, sizeof group, f, i))
                add_group(t, f, group, (fleet_quantity)q);
    }
    snprintf(t->note, sizeof t->note,
             "What %s takes over what the machine takes, geometric means over the cases that both have "
             "numbers for: 2 is "
             "twice as fast, or half the clock cycles, or half the energy. Clock cycles say what a machine "
             "does a clock. "
             "They are counted where the CPU says them, else time by the clock that machine/clock measured. "
             "Energy is the "
             "socket's by its own account (RAPL, --group energy), so that its ratio is that of work for each "
             "joule.",
             f->machine[f->base].name);
}

void table_fleet_cases(report_table *t, const fleet *f) {
    report_table_init(t, "Every case on every machine");
    report_column(t, "name", "case");
    fleet_value_columns(t, f, "µs");
    fleet_speed_columns(t, f);
    for (size_t i = 0; i < f->cases; i++) {
        const fleet_case *c = &f->list[i];
        double base = fleet_value(f, c, f->base, FLEET_TIME);
        json_t *row = json_pack("{s:s}", "name", c->name);
        for (size_t k = 0; row && k < f->count; k++) {
            double ns = fleet_value(f, c, k, FLEET_TIME);
            json_object_set_new(row, f->machine[k].key, four_digits(ns / 1e3));
            json_object_set_new(row, f->machine[k].speed_key, four_digits(base / ns));
        }
        table_add(&t->t, row);
    }
    snprintf(t->note, sizeof t->note,
             "CPU time of a call, medians. × base is the time of %s over that of the machine. A case that a "
             "machine has no "
             "number for is left empty.",
             f->machine[f->base].name);
}
