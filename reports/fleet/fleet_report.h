/* `attnbench report` of one results file or of several. */
#ifndef REPORTS_FLEET_FLEET_REPORT_H
#define REPORTS_FLEET_FLEET_REPORT_H

#include "reports/page/report.h"

/* One machine: report_make_of. Several, in several files or in one that `merge` made: OUT/index.html, OUT/tables and OUT/plots
 * are of all of them, and OUT/machine-N has the report of each. `base` as in fleet_choose_base; what else is asked for
 * goes with one machine only. */
int fleet_report_make(const char *const *files, const char *base, const report_request *request,
                      drawing *pictures, attn_error *error);

#endif
