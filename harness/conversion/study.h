/* The three studies of `attnbench analyze`, from files to rows. */
#ifndef HARNESS_CONVERSION_STUDY_H
#define HARNESS_CONVERSION_STUDY_H

#include "attn/convert.h"
#include "base/text/table.h"

#include <stdint.h>

typedef struct study {
    const char *mha, *mha_weights; /* configuration and checkpoint; NULL weights: next to the configuration */
    const char *other, *other_weights; /* of what stands in for it */
    const char *input;                 /* features X.npy, or */
    const char *data, *split;          /* a corpus, or none of both: random features */
    size_t max_frames;                 /* of the corpus, after the input layer */
    size_t seq_len;                    /* frames that cache bytes are for, and keys when decoding */
    size_t runs;                       /* of each decode time */
    uint64_t seed;                     /* of random weights and features */
    bool spectrum;
    void (*note)(const char *text); /* gets what loading a model has to say */
} study;

/* Fills the table with the layers of the two models compared; *title (attn_free it after the table) says on what. */
int study_compare(table *t, char **title, const study *s, attn_error *error);

/* Adds error against cached bytes for every method and size, of the mha model. */
int study_sweep(table *t, const study *s, attn_error *error);

/* The same of one layer of random weights of that geometry. */
int study_sweep_random(table *t, const char *name, const attn_geometry *g, const study *s, attn_error *error);

/* Writes the other model as an mha model: a configuration and weights, both or none. */
int study_fold(const study *s, const char *out_config, const char *out_weights, attn_error *error);

#endif
