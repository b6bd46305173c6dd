/* The model configuration (YAML): what a model is, before it has weights. */
#ifndef ATTN_CONFIG_H
#define ATTN_CONFIG_H

#include "attn/attention.h"
#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum attn_model_type {
    ATTN_MODEL_ATTENTION,
    ATTN_MODEL_CONFORMER,
    ATTN_MODEL_BRANCHFORMER
} attn_model_type;
typedef enum attn_input_layer { ATTN_INPUT_NONE, ATTN_INPUT_LINEAR, ATTN_INPUT_CONV2D } attn_input_layer;
typedef enum attn_conv_norm { ATTN_NORM_BATCH, ATTN_NORM_LAYER } attn_conv_norm;
/* What the model's input features are: log-mel as Kaldi makes it, or the output of another front end. */
typedef enum attn_features { ATTN_FEATURES_FBANK, ATTN_FEATURES_OTHER } attn_features;
/* How features were normalised when the model was trained. The loader applies global_mvn where the checkpoint has
 * global_cmvn.*; the rest is up to whoever gives the features. */
typedef enum attn_feature_norm {
    ATTN_FEATURE_NORM_NONE,
    ATTN_FEATURE_NORM_GLOBAL,
    ATTN_FEATURE_NORM_UTTERANCE
} attn_feature_norm;
typedef enum attn_merge { ATTN_MERGE_CONCAT, ATTN_MERGE_LEARNED_AVE, ATTN_MERGE_FIXED_AVE } attn_merge;

extern const char *const attn_model_type_names[]; /* NULL-terminated, indexed by the enum, as in YAML */
extern const char *const attn_input_layer_names[];
extern const char *const attn_conv_norm_names[];
extern const char *const attn_merge_names[];
extern const char *const attn_features_names[];
extern const char *const attn_feature_norm_names[];

/* latent_dim may be a list, one a layer, of up to this many layers. */
enum { ATTN_LATENT_LAYERS = 128 };

/* The section `train` (docs/training.md). */
typedef struct attn_train_keys {
    size_t batch_frames;        /* most input frames of a batch, padding included */
    size_t warmup_steps;        /* of the learning rate, linear */
    double final_rate;          /* share of the learning rate that the linear decay ends at */
    double clip;                /* most norm of a gradient; 0: no limit */
    size_t average_checkpoints; /* the model is the mean of this many of the last epochs' */
    bool spec_augment;
    size_t frequency_masks, frequency_width, time_masks, time_width;
    bool no_attention; /* output layers of attention are 0 and stay so: what the model does without it */
} attn_train_keys;

typedef struct attn_config {
    attn_model_type model_type;
    const attn_variant *variant; /* attention_type */
    attn_geometry attention;     /* d_model, num_heads, num_kv_heads, latent_dim, pos_enc */
    /* Layers that differ in latent_dim: that of each, and attention.latent_dim is the largest. All 0: they do
     * not differ. */
    uint32_t latent_dims[ATTN_LATENT_LAYERS];
    size_t num_layers;
    size_t input_dim;  /* features per input frame; equals d_model under input_layer none */
    size_t vocab_size; /* 0: no output layer */
    size_t conv_kernel_size;
    size_t ff_units;     /* ff_expansion_factor * d_model */
    size_t cgmlp_units;  /* cgmlp_linear_units, even */
    double cgmlp_weight; /* fixed_ave */
    attn_merge merge_method;
    attn_input_layer input_layer;
    attn_conv_norm conv_norm;
    attn_features features;
    attn_feature_norm feature_norm;
    bool causal;
    bool one_feed_forward; /* macaron_style: false: x + FFN(x) at the end of a block, none at its start */
    bool after_norm;
    double layer_norm_eps;
    attn_element kv_dtype; /* that caches are kept in */
    /* Kept for training; inference ignores them. 0: not given. */
    double dropout, learning_rate, weight_decay;
    size_t batch_size, num_epochs;
    attn_train_keys train;
} attn_config;

/* Defaults: conformer, mha, d_model 512, 8 heads, 12 layers (attention: 1), input_layer conv2d (attention:
 * none), pos_enc rel_pos (linear: abs_pos; attention: none), latent_dim d_model, num_kv_heads max(1,
 * num_heads / 4) or the next fewer that divide num_heads, the rest as in docs/configuration.md. Unknown keys,
 * wrong types and impossible sizes are errors naming file, line and key. `note` (may be NULL) gets a one-line
 * remark when a key was accepted and ignored, else "". Returns 0, or -1 and an error. */
int attn_config_read(attn_config *config, const char *path, char note[256], attn_error *error);

/* The same from text in memory; `name` stands for the file in messages. */
int attn_config_parse(attn_config *config, const char *text, size_t size, const char *name, char note[256],
                      attn_error *error);

/* The check behind both, for configurations made in code (attention completed by attn_geometry_complete):
 * sizes consistent, nothing overflows. `where` starts the message. */
int attn_config_check(const attn_config *config, const char *where, attn_error *error);

/* One line for who gives this model, with trained weights, the features that attnbench makes of speech (Kaldi's):
 * "" where they are what it was trained on. */
const char *attn_speech_note(const attn_config *config);
/* One line where the model was trained on normalised features and what normalises them is missing; `applied`: the
 * loaded checkpoint has global_cmvn.*. "" otherwise. */
const char *attn_feature_norm_note(const attn_config *config, bool applied);

/* The geometry of one attention layer: `attention` with the layer's own latent_dim. */
attn_geometry attn_config_geometry(const attn_config *config, size_t layer);

/* The configuration as YAML that attn_config_parse reads back to the same values. attn_free it. */
char *attn_config_format(const attn_config *config, attn_error *error);

/* Frames that leave the input layer when `frames` enter: conv2d ((T-1)/2-1)/2 rounded down each time (0 below
 * 7), otherwise the same. */
size_t attn_output_frames(const attn_config *config, size_t frames);

/* Frames that enter for each one more that leaves: conv2d 4, otherwise 1. */
size_t attn_frame_factor(attn_input_layer input);

/* The fewest frames that enter when `frames` leave (1 or more): conv2d 4 T + 3, otherwise the same. */
size_t attn_input_frames(const attn_config *config, size_t frames);

#ifdef __cplusplus
}
#endif
#endif
