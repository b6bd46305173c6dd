/* What a study found, out of the files of its runs. */
#ifndef REPORTS_STUDY_RESULT_H
#define REPORTS_STUDY_RESULT_H

#include "harness/study/study_runs.h"

#include <jansson.h>

/* NULL and an error when a file of a finished run cannot be read. */
json_t *study_results(const study_runs *r, attn_error *error);

#endif
