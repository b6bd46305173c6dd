/* All tables of several machines. */
#ifndef REPORTS_FLEET_FLEET_TABLES_H
#define REPORTS_FLEET_FLEET_TABLES_H

#include "reports/fleet/fleet.h"
#include "reports/tables/report_table.h"

#define TABLE(name, link) void table_##name(report_table *t, const fleet *f);
#include "reports/fleet/fleet_tables.inc"
#undef TABLE

typedef struct fleet_table {
    const char *name, *link;
    void (*fill)(report_table *t, const fleet *f);
} fleet_table;

#define TABLE(name, link) +1
enum {
    FLEET_TABLES = 0
#include "reports/fleet/fleet_tables.inc"
};
#undef TABLE
extern const fleet_table fleet_table_list[FLEET_TABLES];

/* A column each machine: values under its `key`. */
void fleet_value_columns(report_table *t, const fleet *f, const char *unit);
/* The same of ratios to the base under its `speed_key`, without the base. */
void fleet_speed_columns(report_table *t, const fleet *f);
/* Adds the row (taken over) with what stands under those columns, ratio[i] of machine i, and "cases": the most that a
 * machine has in common with the base. Without any it is dropped. */
void fleet_add_ratios(report_table *t, const fleet *f, json_t *row, const double *ratio,
                      const size_t *common);

#endif
