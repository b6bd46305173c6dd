/* What the data says, in sentences: key findings, and warnings about what not to trust. */
#ifndef REPORTS_TABLES_SENTENCES_FINDINGS_H
#define REPORTS_TABLES_SENTENCES_FINDINGS_H

#include "reports/tables/table_list.h"

/* Sentences as a JSON array of plain texts; NULL when memory is short. */
json_t *findings_list(const table_sources *from);
json_t *warnings_list(const report_data *data);

#endif
