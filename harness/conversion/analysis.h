/* The three analyses of `attnbench analyze`, from files to rows. */
#ifndef HARNESS_CONVERSION_ANALYSIS_H
#define HARNESS_CONVERSION_ANALYSIS_H

#include "base/text/table.h"
#include "harness/conversion/analysis_input.h"

/* Fills the table with the layers of the two models compared; *title (attn_free it after the table) says on what. */
int analysis_compare(text_table *t, char **title, const analysis *s, attn_error *error);

/* The same of several models, given by configurations and checkpoints (NULL: next to them): the row of the output of each,
 * with `model`, `attention_type`, `latent_dim` and `num_kv_heads`; the first row is the mha model's own. */
int analysis_compare_several(text_table *t, char **title, const analysis *s, const char *const *others,
                             const char *const *weights, attn_error *error);

/* Adds error against cached bytes for every method and size, of the mha model. */
int analysis_sweep(text_table *t, const analysis *s, attn_error *error);

/* The same of one layer of random weights of that geometry. */
int analysis_sweep_random(text_table *t, const char *name, const attn_geometry *g, const analysis *s,
                          attn_error *error);

/* Writes the other model as an mha model: a configuration and weights, both or none. */
int analysis_fold(const analysis *s, const char *out_config, const char *out_weights, attn_error *error);

#endif
