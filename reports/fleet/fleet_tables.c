#include "reports/fleet/fleet_tables.h"

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
