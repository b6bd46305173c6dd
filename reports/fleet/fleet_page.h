/* The page of several machines. */
#ifndef REPORTS_FLEET_FLEET_PAGE_H
#define REPORTS_FLEET_FLEET_PAGE_H

#include "reports/fleet/fleet_plots.h"
#include "reports/fleet/fleet_tables.h"

typedef struct fleet_report {
    const fleet *fleet;
    report_table tables[FLEET_TABLES]; /* as in fleet_table_list */
    fleet_figure figures[FLEET_PLOTS];
    drawing drawing;
} fleet_report;

/* FOLDER/index.html. */
int fleet_page_write(const char *folder, const fleet_report *r, attn_error *error);

#endif
