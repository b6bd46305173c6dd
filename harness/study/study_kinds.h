/* The entries of `runs` in a plan. Private to study_*.c. */
#ifndef HARNESS_STUDY_KINDS_H
#define HARNESS_STUDY_KINDS_H

#include "harness/study/study_models.h"

/* Appends every kind that an entry makes of a model. The mha that one begins with is added when it is not there. */
int study_kinds_add(study_plan *p, const study_model *m, yaml_file *file, yaml_node_t *entry,
                    attn_error *error);

#endif
