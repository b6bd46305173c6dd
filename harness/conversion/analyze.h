/* An mha model and one that stands in for it, compared layer by layer and at the output. */
#ifndef HARNESS_CONVERSION_ANALYZE_H
#define HARNESS_CONVERSION_ANALYZE_H

#include "attn/convert.h"
#include "base/text/table.h"

typedef struct analyze_plan {
    attn_model *mha, *other;
    const attn_calibration *inputs;
    size_t seq_len; /* frames that cache bytes are for, and keys that decoding attends to */
    size_t runs;    /* of each decode time, of which the median counts; 0: no times */
    bool spectrum;  /* rows carry all singular values of the stacked weights */
} analyze_plan;

extern const table_column analyze_columns[];
extern const table_column analyze_model_columns[]; /* a row a model */

/* Do they share everything but their attention? */
int analyze_check(const attn_config *mha, const attn_config *other, attn_error *error);

/* Adds a row for each layer, and one for the output. A layer's output is compared on the inputs that it has
 * in the mha model; `input_error` is how far those inputs have drifted in the other. */
int analyze_models(text_table *t, const analyze_plan *plan, attn_error *error);

#endif
