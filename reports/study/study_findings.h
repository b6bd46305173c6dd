/* What a study says, in sentences. */
#ifndef REPORTS_STUDY_FINDINGS_H
#define REPORTS_STUDY_FINDINGS_H

#include "reports/study/study_data.h"

/* A JSON array of plain texts; NULL when memory is short. */
json_t *study_findings(const study_data *d);

#endif
