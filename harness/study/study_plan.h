/* Plans of studies: a table of trainings, as text (harness/study/plans/NAME.yaml; docs/study.md). */
#ifndef HARNESS_STUDY_PLAN_H
#define HARNESS_STUDY_PLAN_H

#include "harness/study/study_kind.h"

#define STUDY_PLAN_FOLDER "harness/study/plans"

/* `which`: as in home_named_file (base/home.h), of STUDY_PLAN_FOLDER. Free with study_plan_free (a zeroed plan is fine
 * too). */
int study_plan_read(study_plan *p, const char *which, attn_error *error);
int study_plan_parse(study_plan *p, const char *text, size_t size, const char *file, attn_error *error);
void study_plan_free(study_plan *p);

#endif
