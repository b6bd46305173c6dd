/* Error against what is cached, for every method at many sizes. */
#ifndef HARNESS_CONVERSION_TRADEOFF_H
#define HARNESS_CONVERSION_TRADEOFF_H

#include "attn/convert.h"
#include "base/text/table.h"
#include "harness/run/steps.h"

typedef struct tradeoff_plan {
    const char *subject; /* whose weights these are */
    const char *inputs;  /* what it was measured on */
    attn_model *model;   /* mha; as it was when all is done */
    attn_calibration calibration, test;
    bool held_out;             /* whether these two differ */
    const size_t *latent_dims; /* ascending, 2 to d_model */
    size_t count;
    size_t seq_len;      /* frames that cache bytes are for */
    step_journal *steps; /* keeps each row; NULL: nothing does */
} tradeoff_plan;

extern const table_column tradeoff_columns[];

/* latent_dims [16] for a width: sixteenths up to a quarter, then eighths. Returns how many. */
size_t tradeoff_latent_dims(size_t latent_dims[16], size_t d_model);

/* Adds a row for each method and size. Each is really converted, and the model run on the test inputs. */
int tradeoff_measure(text_table *t, const tradeoff_plan *plan, attn_error *error);

#endif
