/* The three studies of `attnbench analyze`, from files to rows. */
#ifndef HARNESS_CONVERSION_STUDY_H
#define HARNESS_CONVERSION_STUDY_H

#include "base/text/table.h"
#include "harness/conversion/study_input.h"

/* Fills the table with the layers of the two models compared; *title (attn_free it after the table) says on what. */
int study_compare(text_table *t, char **title, const study *s, attn_error *error);

/* The same of several models, given by configurations and checkpoints (NULL: next to them): the row of the output of each,
 * with `model`, `attention_type`, `latent_dim` and `num_kv_heads`; the first row is the mha model's own. */
int study_compare_several(text_table *t, char **title, const study *s, const char *const *others,
                          const char *const *weights, attn_error *error);

/* Adds error against cached bytes for every method and size, of the mha model. */
int study_sweep(text_table *t, const study *s, attn_error *error);

/* The same of one layer of random weights of that geometry. */
int study_sweep_random(text_table *t, const char *name, const attn_geometry *g, const study *s,
                       attn_error *error);

/* Writes the other model as an mha model: a configuration and weights, both or none. */
int study_fold(const study *s, const char *out_config, const char *out_weights, attn_error *error);

#endif
