/* The keys of the YAML configuration: one row each says what it is and where it lands. */
#ifndef IMPL_IO_CONFIG_KEYS_H
#define IMPL_IO_CONFIG_KEYS_H

#include "attn/config.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum key_kind { KEY_SIZE, KEY_REAL, KEY_BOOL, KEY_CHOICE, KEY_VARIANT, KEY_MAP } key_kind;

/* Which models use a key; elsewhere it is accepted and ignored with a note. */
typedef enum key_use {
    USE_ALWAYS,
    USE_CONFORMER,
    USE_BRANCHFORMER,
    USE_ENCODER, /* either of the two */
    USE_LATENT,
    USE_KV_HEADS,
    USE_NEVER
} key_use;

typedef enum key_null {
    NULL_WRONG,   /* null is a wrong type */
    NULL_DEFAULT, /* null stands for the default */
    NULL_ABSENT,  /* the value may be absent: 0 in the structure, the first of choices, true */
    NULL_EITHER   /* absent, and null says so */
} key_null;

enum { KEYS_MAX = 49 };

/* What a file says, before defaults: a configuration, and values that end up in it changed. */
typedef struct config_draft {
    attn_config config;
    double ff_expansion_factor, mlp_expansion_factor;
    bool macaron_style;
    size_t feature_dim;
    size_t latent_count; /* entries when latent_dim is a list */
    size_t latent_dims[ATTN_LATENT_LAYERS];
    size_t lines[KEYS_MAX]; /* of each row's key in the file; 0: not there */
    bool given[KEYS_MAX];   /* there, and not null */
} config_draft;

typedef struct config_key {
    const char *parent; /* the map that it is in; NULL at the top */
    const char *name;
    key_kind kind;
    size_t offset;          /* in config_draft */
    double lowest, highest; /* KEY_SIZE, KEY_REAL */
    const char *const *choices;
    key_null null;
    key_use use;
} config_key;

extern const config_key config_keys[]; /* ended by a NULL name */

/* The row's index, or -1; parent is "" for a key at the top. */
int config_key_find(const char *parent, const char *name);
/* The row that lands in `field` of the draft. */
size_t config_key_of(const config_draft *draft, const void *field);

bool config_key_used(const config_key *key, const attn_config *config);
const char *config_use_text(key_use use); /* "for branchformer only" */

/* Sets the row's field from a scalar (`plain`: not quoted). -1 when the row does not take it. */
int config_key_set(config_draft *draft, size_t row, const char *text, bool plain);
/* Puts the row's field back to its default. */
void config_key_reset(config_draft *draft, size_t row, const config_draft *defaults);
/* Is the value of a size or a number in range (or absent where it may be)? */
bool config_key_in_range(const config_draft *draft, size_t row);
void config_key_expected(size_t row, char expected[512]);
/* The row's value as YAML; false when it is to be left out. */
bool config_key_print(const config_draft *draft, size_t row, char text[64]);

/* Reads YAML into the draft (config_yaml.c); what is not in it stays as it is. `name` stands for the file. */
int config_yaml_read(config_draft *draft, const char *text, size_t size, const char *name, attn_error *error);

#endif
