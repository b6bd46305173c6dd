/* What the layers of a model cost: bytes of cache, parameters, and the time of one new frame. */
#ifndef HARNESS_CONVERSION_ANALYZE_COSTS_H
#define HARNESS_CONVERSION_ANALYZE_COSTS_H

#include "harness/conversion/analyze.h"

#include <jansson.h>

/* Adds them to the rows, one a layer, and their sums to `output`. The keys end in `ending`: "_mha" for the mha model.
 * Times that could not be measured are null. */
int analyze_add_costs(json_t *rows, json_t *output, attn_model *model, const char *ending,
                      const analyze_plan *plan, attn_error *error);

#endif
