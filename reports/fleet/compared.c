#include "reports/fleet/compared.h"

#include "reports/data/counter_values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const fleet_quantity_names[FLEET_QUANTITIES] = {
    "time", "clock cycles, counted", "clock cycles, by the measured clock", "energy of the socket"};

double fleet_counter(const measured *m, const char *name) {
    return counter_median(m->c, counter_counted, name, NULL);
}

double fleet_clock(const fleet_machine *m) {
    const char *isa = results_text(&m->results, "machine.isa", "");
    for (size_t i = 0; i < m->data.count; i++) {
        const measured *row = &m->data.cases[i];
        if (!strcmp(row->c->what, "clock") && !strcmp(row->c->isa, isa))
            return row->c->steps / row->best;
    }
    return NAN;
}

double fleet_value(const fleet *f, const fleet_case *c, size_t machine, fleet_quantity quantity) {
    const measured *m = c->of[machine];
    if (!m)
        return NAN;
    switch (quantity) {
    case FLEET_CYCLES:
        return fleet_counter(m, "cycles");
    case FLEET_BY_CLOCK:
        return m->time * fleet_clock(&f->machine[machine]);
    case FLEET_JOULES:
        return fleet_counter(m, "energy_package");
    default:
        return m->time;
    }
}

void fleet_group(char *text, size_t size, const results_case *c) {
    if (results_is_model(c))
        snprintf(text, size, "%s %s %s", *c->model ? c->model : "attention", c->type, c->mode);
    else
        snprintf(text, size, "%s", c->kind);
}

double fleet_speed(size_t *common, const fleet *f, size_t machine, const char *group,
                   fleet_quantity quantity) {
    double sum = 0;
    *common = 0;
    for (size_t i = 0; i < f->cases; i++) {
        const fleet_case *c = &f->list[i];
        char own[96];
        if (!c->of[f->base] || !c->of[machine])
            continue;
        fleet_group(own, sizeof own, c->of[machine]->c);
        if (group && strcmp(own, group) != 0)
            continue;
        double ratio = fleet_value(f, c, f->base, quantity) / fleet_value(f, c, machine, quantity);
        if (!(ratio > 0 && isfinite(ratio)))
            continue;
        sum += log(ratio);
        ++*common;
    }
    return *common ? exp(sum / (double)*common) : NAN;
}
