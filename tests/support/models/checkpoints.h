/* A checkpoint in the making: tensors of a model, renamed, added or left out. Every failure ends the test. */
#ifndef TESTS_SUPPORT_MODELS_CHECKPOINTS_H
#define TESTS_SUPPORT_MODELS_CHECKPOINTS_H

#include "attn/model.h"
#include "attn/safetensors.h"

enum { CHECKPOINT_TENSORS = 128 };

typedef struct checkpoint {
    attn_safetensors_entry entries[CHECKPOINT_TENSORS];
    char names[CHECKPOINT_TENSORS][80];
    size_t dims[CHECKPOINT_TENSORS][4], count;
} checkpoint;

/* Its data are the model's own; attn_free it. */
checkpoint *checkpoint_of(attn_model *model);

/* In each name that has `from`, the first one becomes `to`. */
void checkpoint_rename(checkpoint *c, const char *from, const char *to);
void checkpoint_prefix(checkpoint *c, const char *text);
/* Another tensor, [count]. */
void checkpoint_add(checkpoint *c, const char *name, const float *data, size_t count);

/* Writes and loads it; returns what attn_model_load does. */
int checkpoint_load(attn_model *model, const checkpoint *c, attn_error *error);
/* Loading fails with a message that has the file and all of these words. */
void checkpoint_refused(attn_model *model, const checkpoint *c, const char *const words[4]);
/* The model's weights are those of c, under its own names. */
void checkpoint_expect(attn_model *model, const checkpoint *c);

#endif
