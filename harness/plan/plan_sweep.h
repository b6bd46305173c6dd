/* Cross products of a plan. Private to plan*.c. */
#ifndef HARNESS_PLAN_PLAN_SWEEP_H
#define HARNESS_PLAN_PLAN_SWEEP_H

#include "base/text/yaml.h"
#include "harness/plan/plan.h"

#include <jansson.h>

/* Appends a row unless the plan has it. */
int plan_add_row(plan *p, json_t *seen, const char *row, attn_error *error);

/* Appends every row of one entry of `sweeps`. */
int plan_add_sweep(plan *p, json_t *seen, yaml_file *file, yaml_node_t *sweep, attn_error *error);

#endif
