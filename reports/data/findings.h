/* What the data says, in sentences: key findings, and warnings about what not to trust. */
#ifndef REPORTS_DATA_FINDINGS_H
#define REPORTS_DATA_FINDINGS_H

#include "reports/tables/report_tables.h"

/* Sentences as a JSON array of plain texts; NULL when memory is short. */
json_t *findings_list(const report_data *data, const lines *cache, const lines *decode, const lines *prefill,
                      const lines *paths);
json_t *warnings_list(const report_data *data);

#endif
