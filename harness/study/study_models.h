/* Model configurations out of a plan. Private to study_*.c. */
#ifndef HARNESS_STUDY_MODELS_H
#define HARNESS_STUDY_MODELS_H

#include "base/text/yaml.h"
#include "harness/study/study_kind.h"

/* One combination of an entry of `models`. */
typedef struct study_model {
    char name[STUDY_MODEL];
    const yaml_node_t *entry;
    size_t choice; /* which combination of the entry's lists */
} study_model;

/* What a run adds to a model's keys: the lines are those of the plan, for messages. */
typedef struct study_attention {
    const char *type;
    size_t type_line;
    size_t latent_dim, num_kv_heads, size_line; /* 0: not given */
    bool none;                                  /* contributes nothing */
} study_attention;

/* How many combinations an entry stands for; 0 and an error when it is none. */
size_t study_model_choices(yaml_file *file, yaml_node_t *entry, attn_error *error);

/* Makes the name of one, and checks it as an mha. */
int study_model_read(study_model *m, yaml_file *file, yaml_node_t *entry, size_t choice, attn_error *error);

/* The configuration with that attention: *yaml (attn_free it) and, read, *config. A mistake names the plan's line. */
int study_model_config(char **yaml, attn_config *config, const study_model *m, const study_attention *a,
                       yaml_file *file, attn_error *error);

#endif
