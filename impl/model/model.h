/* What a model is made of. Private to impl/. */
#ifndef IMPL_MODEL_MODEL_H
#define IMPL_MODEL_MODEL_H

#include "impl/encoder/encoder.h"
#include "impl/encoder/walk.h"

#include <stdbool.h>

struct attn_model {
    attn_config config;
    attn_embed embed;
    attn_block *blocks; /* num_layers */
    attn_norm after_norm;
    attn_linear ctc;     /* [vocab_size, d_model] */
    float *packed;       /* of attn_model_pack */
    char load_note[640]; /* of the last attn_model_load */
};

bool attn_has_after_norm(const attn_config *config);

/* Allocates tensors that the model has and that have no memory yet. */
int attn_model_allocate(attn_model *model, attn_error *error);

/* A model of this configuration, all 0, with those tensors that only some checkpoints have (embed.out.1, global_cmvn,
 * csgu.linear) where `from` has them. Both have as many layers. */
int attn_model_create_like(attn_model **made, const attn_config *config, const attn_model *from,
                           attn_error *error);

/* Not running statistics, not global_cmvn. */
bool attn_tensor_is_trained(const char *name);

/* attn_model_save of the tensors that `keeps` is true for; NULL: of all. */
int attn_model_save_some(attn_model *model, const char *path, bool (*keeps)(const char *name),
                         attn_error *error);

/* Whether a checkpoint's tensor belongs to what ESPnet and WeNet save next to the encoder: decoders, losses,
 * the output layer of a model that is to have none. */
bool attn_model_is_outside(const attn_config *config, const char *name);

/* The canonical name of a checkpoint's tensor, which is "" for one that is to be ignored. Unknown names come
 * out as they are, cut to the size. */
void attn_model_canonical_name(char canonical[64], const attn_config *config, const char *name);

#endif
