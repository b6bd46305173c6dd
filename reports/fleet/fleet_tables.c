#include "reports/fleet/fleet_tables.h"

#include "reports/data/rounding.h"

const fleet_table fleet_table_list[FLEET_TABLES] = {
#define TABLE(name, link) {#name, link, table_##name},
#include "reports/fleet/fleet_tables.inc"
#undef TABLE
};

void fleet_value_columns(report_table *t, const fleet *f, const char *unit) {
    for (size_t i = 0; i < f->count; i++)
        report_column(t, f->machine[i].key, "%.50s%s%s", f->machine[i].name, *unit ? ", " : "", unit);
}

void fleet_speed_columns(report_table *t, const fleet *f) {
    for (size_t i = 0; i < f->count; i++)
        if (i != f->base)
            report_column(t, f->machine[i].speed_key, "%.50s, × base", f->machine[i].name);
}

void fleet_add_ratios(report_table *t, const fleet *f, json_t *row, const double *ratio,
                      const size_t *common) {
    size_t most = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (i == f->base)
            continue;
        json_object_set_new(row, f->machine[i].speed_key, four_digits(ratio[i]));
        most = common[i] > most ? common[i] : most;
    }
    json_object_set_new(row, "cases", json_integer((json_int_t)most));
    if (!row || most)
        table_add(&t->t, row);
    else
        json_decref(row);
}
