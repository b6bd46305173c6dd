/* Cross products of a plan. Private to plan*.c. */
#ifndef HARNESS_PLAN_PLAN_SWEEP_H
#define HARNESS_PLAN_PLAN_SWEEP_H

#include "base/text/yaml.h"
#include "harness/plan/plan_rows.h"

/* Appends every row of one entry of `sweeps`. */
int plan_add_sweep(plan *p, json_t *seen, yaml_file *file, yaml_node_t *sweep, attn_error *error);

#endif
