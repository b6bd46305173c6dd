/* What a model is made of. Private to impl/. */
#ifndef ATTN_MODEL_PRIVATE_H
#define ATTN_MODEL_PRIVATE_H

#include "attn/model.h"
#include "impl/model/walk.h"

#include <stdbool.h>

/* embed.*: from input_dim features to d_model. */
typedef struct attn_embed {
    attn_linear out; /* embed.out.0 */
    attn_norm norm;  /* embed.out.1, only when the checkpoint has it */
    bool has_norm;
} attn_embed;

typedef struct attn_block {
    attn_layer attention;
} attn_block;

struct attn_model {
    attn_config config;
    attn_embed embed;
    attn_block *blocks; /* num_layers */
    attn_linear ctc;    /* [vocab_size, d_model] */
};

/* Allocates tensors that the model has and that have no memory yet. */
int attn_model_allocate(attn_model *model, attn_error *error);

/* The canonical name of a checkpoint's tensor, which is "" for one that is to be ignored. Unknown names come
 * out as they are, cut to the size. */
void attn_model_canonical_name(char canonical[64], const attn_config *config, const char *name);

#endif
