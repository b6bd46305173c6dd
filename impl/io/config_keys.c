#include "impl/io/config_keys.h"

#include "base/text/append.h"
#include "impl/attention/variant_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const attn_model_type_names[] = {"attention", "conformer", "branchformer", NULL};
const char *const attn_input_layer_names[] = {"none", "linear", "conv2d", NULL};
const char *const attn_conv_norm_names[] = {"batch_norm", "layer_norm", NULL};
const char *const attn_merge_names[] = {"concat", "learned_ave", "fixed_ave", NULL};
const char *const attn_features_names[] = {"fbank", "other", NULL};
const char *const attn_feature_norm_names[] = {"none", "global_mvn", "utterance_mvn", NULL};

/* Far beyond any model, and small enough that no product of sizes overflows. */
enum { WIDTH = 1 << 16, UNITS = 1 << 22, LAYERS = 1 << 10, COUNT = 1 << 24 };

#define IN(field) offsetof(config_draft, field)
#define SIZE(name, field, low, high, null, use)                                                              \
    { NULL, name, KEY_SIZE, IN(field), low, high, NULL, null, use }
#define REAL(name, field, low, high, null, use)                                                              \
    { NULL, name, KEY_REAL, IN(field), low, high, NULL, null, use }
#define BOOL(name, field, use)                                                                               \
    { NULL, name, KEY_BOOL, IN(field), 0, 0, NULL, NULL_WRONG, use }
#define CHOICE(name, field, names, null, use)                                                                \
    { NULL, name, KEY_CHOICE, IN(field), 0, 0, names, null, use }
#define KWARG(name, field, use)                                                                              \
    { "attention_kwargs", name, KEY_SIZE, IN(field), 1, WIDTH, NULL, NULL_DEFAULT, use }

#define TRAIN_SIZE(name, field, low, high, null)                                                             \
    { "train", name, KEY_SIZE, IN(config.train.field), low, high, NULL, null, USE_ALWAYS }
#define TRAIN_REAL(name, field, low, high)                                                                   \
    { "train", name, KEY_REAL, IN(config.train.field), low, high, NULL, NULL_WRONG, USE_ALWAYS }

/* clang-format off */
const config_key config_keys[] = {
    CHOICE("model_type", config.model_type, attn_model_type_names, NULL_WRONG, USE_ALWAYS),
    {NULL, "attention_type", KEY_VARIANT, IN(config.variant), 0, 0, NULL, NULL_WRONG, USE_ALWAYS},
    SIZE("d_model", config.attention.d_model, 1, WIDTH, NULL_WRONG, USE_ALWAYS),
    SIZE("num_heads", config.attention.num_heads, 1, WIDTH, NULL_WRONG, USE_ALWAYS),
    SIZE("num_layers", config.num_layers, 1, LAYERS, NULL_WRONG, USE_ALWAYS),
    {NULL, "attention_kwargs", KEY_MAP, 0, 0, 0, NULL, NULL_DEFAULT, USE_ALWAYS},
    KWARG("latent_dim", config.attention.latent_dim, USE_LATENT),
    KWARG("num_kv_heads", config.attention.num_kv_heads, USE_KV_HEADS),
    KWARG("feature_dim", feature_dim, USE_NEVER),
    CHOICE("merge_method", config.merge_method, attn_merge_names, NULL_DEFAULT, USE_BRANCHFORMER),
    SIZE("input_dim", config.input_dim, 1, WIDTH, NULL_WRONG, USE_ALWAYS),
    SIZE("vocab_size", config.vocab_size, 1, COUNT, NULL_EITHER, USE_ALWAYS),
    SIZE("conv_kernel_size", config.conv_kernel_size, 1, WIDTH, NULL_WRONG, USE_ENCODER),
    REAL("ff_expansion_factor", ff_expansion_factor, 1e-3, 64, NULL_WRONG, USE_CONFORMER),
    {NULL, "macaron_style", KEY_BOOL, IN(macaron_style), 0, 0, NULL, NULL_ABSENT, USE_CONFORMER},
    SIZE("cgmlp_linear_units", config.cgmlp_units, 2, UNITS, NULL_DEFAULT, USE_BRANCHFORMER),
    REAL("mlp_expansion_factor", mlp_expansion_factor, 1e-3, 64, NULL_EITHER, USE_BRANCHFORMER),
    REAL("cgmlp_weight", config.cgmlp_weight, 0, 1, NULL_WRONG, USE_BRANCHFORMER),
    CHOICE("input_layer", config.input_layer, attn_input_layer_names, NULL_WRONG, USE_ALWAYS),
    CHOICE("features", config.features, attn_features_names, NULL_ABSENT, USE_ALWAYS),
    CHOICE("feature_norm", config.feature_norm, attn_feature_norm_names, NULL_ABSENT, USE_ALWAYS),
    CHOICE("pos_enc", config.attention.pos_enc, attn_pos_enc_names, NULL_WRONG, USE_ALWAYS),
    CHOICE("conv_norm", config.conv_norm, attn_conv_norm_names, NULL_WRONG, USE_CONFORMER),
    BOOL("causal", config.causal, USE_ENCODER),
    BOOL("after_norm", config.after_norm, USE_ENCODER),
    REAL("layer_norm_eps", config.layer_norm_eps, 1e-30, 1, NULL_WRONG, USE_ALWAYS),
    CHOICE("kv_dtype", config.kv_dtype, attn_kv_dtype_names, NULL_WRONG, USE_ALWAYS),
    REAL("dropout", config.dropout, 0, 1, NULL_WRONG, USE_ALWAYS),
    SIZE("batch_size", config.batch_size, 1, COUNT, NULL_ABSENT, USE_ALWAYS),
    SIZE("num_epochs", config.num_epochs, 1, COUNT, NULL_ABSENT, USE_ALWAYS),
    REAL("learning_rate", config.learning_rate, 1e-30, 1e3, NULL_ABSENT, USE_ALWAYS),
    REAL("weight_decay", config.weight_decay, 0, 1e3, NULL_WRONG, USE_ALWAYS),
    {NULL, "train", KEY_MAP, 0, 0, 0, NULL, NULL_DEFAULT, USE_ALWAYS},
    TRAIN_SIZE("batch_frames", batch_frames, 1, COUNT, NULL_ABSENT),
    TRAIN_SIZE("warmup_steps", warmup_steps, 1, COUNT, NULL_ABSENT),
    TRAIN_REAL("final_rate", final_rate, 0, 1),
    TRAIN_REAL("clip", clip, 0, 1e9),
    TRAIN_SIZE("average_checkpoints", average_checkpoints, 1, COUNT, NULL_ABSENT),
    {"train", "spec_augment", KEY_BOOL, IN(config.train.spec_augment), 0, 0, NULL, NULL_WRONG, USE_ALWAYS},
    TRAIN_SIZE("frequency_masks", frequency_masks, 0, WIDTH, NULL_WRONG),
    TRAIN_SIZE("frequency_width", frequency_width, 0, WIDTH, NULL_WRONG),
    TRAIN_SIZE("time_masks", time_masks, 0, WIDTH, NULL_WRONG),
    TRAIN_SIZE("time_width", time_width, 0, WIDTH, NULL_WRONG),
    {"train", "no_attention", KEY_BOOL, IN(config.train.no_attention), 0, 0, NULL, NULL_WRONG, USE_ALWAYS},
    {NULL, NULL, KEY_SIZE, 0, 0, 0, NULL, NULL_WRONG, USE_NEVER},
};
/* clang-format on */

_Static_assert(sizeof config_keys / sizeof *config_keys <= KEYS_MAX, "KEYS_MAX has room for every row");

int config_key_find(const char *parent, const char *name) {
    for (int i = 0; config_keys[i].name; i++)
        if (!strcmp(config_keys[i].parent ? config_keys[i].parent : "", parent) &&
            !strcmp(config_keys[i].name, name))
            return i;
    return -1;
}

size_t config_key_of(const config_draft *draft, const void *field) {
    size_t i = 0, offset = (size_t)((const char *)field - (const char *)draft);
    while (config_keys[i].kind == KEY_MAP || config_keys[i].offset != offset)
        i++;
    return i;
}

static bool is_nullable(const config_key *key) {
    return key->null == NULL_DEFAULT || key->null == NULL_EITHER;
}

bool config_key_used(const config_key *key, const attn_config *config) {
    switch (key->use) {
    case USE_ALWAYS:
        return true;
    case USE_CONFORMER:
        return config->model_type == ATTN_MODEL_CONFORMER;
    case USE_BRANCHFORMER:
        return config->model_type == ATTN_MODEL_BRANCHFORMER;
    case USE_ENCODER:
        return config->model_type != ATTN_MODEL_ATTENTION;
    case USE_LATENT:
        return config->variant->has_latent;
    case USE_KV_HEADS:
        return config->variant->has_kv_heads;
    case USE_NEVER:
        break;
    }
    return false;
}

const char *config_use_text(key_use use) {
    static const char *const texts[] = {
        [USE_ALWAYS] = "",
        [USE_CONFORMER] = "for conformer only",
        [USE_BRANCHFORMER] = "for branchformer only",
        [USE_ENCODER] = "for encoders only",
        [USE_LATENT] = "for attention with a latent only",
        [USE_KV_HEADS] = "for gqa only",
        [USE_NEVER] = "the feature map elu+1 keeps d_k",
    };
    return texts[use];
}

void config_key_expected(size_t row, char expected[512]) {
    const config_key *key = &config_keys[row];
    char variants[ATTN_VARIANT_NAMES_TEXT];
    switch (key->kind) {
    case KEY_SIZE:
        snprintf(expected, 512, "an integer %.0f to %.0f", key->lowest, key->highest);
        break;
    case KEY_REAL:
        snprintf(expected, 512, "a number %g to %g", key->lowest, key->highest);
        break;
    case KEY_BOOL:
        snprintf(expected, 512, "true or false");
        break;
    case KEY_CHOICE:
        snprintf(expected, 512, "%s", key->choices[1] ? "one of " : "");
        for (size_t i = 0; key->choices[i]; i++)
            text_append(expected, 512, "%s%s", i ? ", " : "", key->choices[i]);
        break;
    case KEY_VARIANT:
        attn_variant_names_text(variants, ATTN_TAKES_ANYTHING, ", ");
        snprintf(expected, 512, "one of %s", variants);
        break;
    case KEY_MAP:
        snprintf(expected, 512, "a map");
        break;
    }
    if (is_nullable(key))
        text_append(expected, 512, " or null");
}

/* Digits without a sign, base prefix or leading zero (which YAML 1.1 would take for octal). */
static int parse_size(size_t *out, const char *text) {
    if (!*text || strspn(text, "0123456789") != strlen(text) || (*text == '0' && text[1]))
        return -1;
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    *out = (size_t)value;
    return errno ? -1 : 0;
}

/* A decimal number: no hexadecimal, infinity, NaN or underscores. */
static int parse_real(double *out, const char *text) {
    static const char digits[] = "0123456789";
    const char *c = text + (*text == '-' || *text == '+');
    size_t whole = strspn(c, digits), fraction = 0;
    c += whole;
    if (*c == '.') {
        fraction = strspn(c + 1, digits);
        c += 1 + fraction;
    }
    if (!whole && !fraction)
        return -1;
    if (*c == 'e' || *c == 'E') {
        c += 1 + (c[1] == '-' || c[1] == '+');
        size_t exponent = strspn(c, digits);
        if (!exponent)
            return -1;
        c += exponent;
    }
    *out = strtod(text, NULL);
    return *c ? -1 : 0;
}

static int parse_bool(bool *out, const char *text) {
    *out = *text == 't' || *text == 'T';
    static const char *const words[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(text, words[i]))
            return 0;
    return -1;
}

static int parse_choice(unsigned *out, const char *text, const char *const *choices) {
    for (*out = 0; choices[*out]; ++*out)
        if (!strcmp(text, choices[*out]))
            return 0;
    return -1;
}

static double number_in(const config_draft *draft, size_t row) {
    const void *field = (const char *)draft + config_keys[row].offset;
    return config_keys[row].kind == KEY_SIZE ? (double)*(const size_t *)field : *(const double *)field;
}

static bool is_within(const config_draft *draft, size_t row) {
    double value = number_in(draft, row);
    return value >= config_keys[row].lowest && value <= config_keys[row].highest;
}

static bool is_absent(const config_draft *draft, size_t row) {
    return config_keys[row].null >= NULL_ABSENT && number_in(draft, row) == 0;
}

bool config_key_in_range(const config_draft *draft, size_t row) {
    return is_within(draft, row) || is_absent(draft, row);
}

static int set_field(config_draft *draft, size_t row, const char *text, bool plain) {
    const config_key *key = &config_keys[row];
    void *field = (char *)draft + key->offset;
    switch (key->kind) {
    case KEY_SIZE:
        return plain && !parse_size(field, text) && is_within(draft, row) ? 0 : -1;
    case KEY_REAL:
        return plain && !parse_real(field, text) && is_within(draft, row) ? 0 : -1;
    case KEY_BOOL:
        return plain ? parse_bool(field, text) : -1;
    case KEY_CHOICE:
        return parse_choice(field, text, key->choices);
    case KEY_VARIANT: {
        const attn_variant *variant = attn_variant_find(text);
        if (variant)
            draft->config.variant = variant;
        return variant ? 0 : -1;
    }
    case KEY_MAP:
        break;
    }
    return -1;
}

int config_key_set(config_draft *draft, size_t row, const char *text, bool plain) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; plain && i < sizeof nulls / sizeof *nulls; i++)
        if (!strcmp(text, nulls[i]) && is_nullable(&config_keys[row]))
            return 0;
    if (set_field(draft, row, text, plain))
        return -1;
    draft->given[row] = true;
    return 0;
}

void config_key_reset(config_draft *draft, size_t row, const config_draft *defaults) {
    static const size_t sizes[] = {
        [KEY_SIZE] = sizeof(size_t),
        [KEY_REAL] = sizeof(double),
        [KEY_BOOL] = sizeof(bool),
        [KEY_CHOICE] = sizeof(unsigned),
        [KEY_VARIANT] = sizeof(attn_variant *),
        [KEY_MAP] = 0,
    };
    size_t offset = config_keys[row].offset;
    memcpy((char *)draft + offset, (const char *)defaults + offset, sizes[config_keys[row].kind]);
}

/* The shortest text that reads back to the same number. */
static void print_real(char text[64], double value) {
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, 64, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
}

bool config_key_print(const config_draft *draft, size_t row, char text[64]) {
    const config_key *key = &config_keys[row];
    const void *field = (const char *)draft + key->offset;
    switch (key->kind) {
    case KEY_SIZE:
        snprintf(text, 64, "%zu", *(const size_t *)field);
        return !is_absent(draft, row);
    case KEY_REAL:
        print_real(text, *(const double *)field);
        return !is_absent(draft, row);
    case KEY_BOOL:
        snprintf(text, 64, "%s", *(const bool *)field ? "true" : "false");
        return key->null != NULL_ABSENT || !*(const bool *)field;
    case KEY_CHOICE:
        snprintf(text, 64, "%s", key->choices[*(const unsigned *)field]);
        return key->null != NULL_ABSENT || *(const unsigned *)field;
    case KEY_VARIANT:
        snprintf(text, 64, "%s", draft->config.variant->name);
        return true;
    case KEY_MAP:
        break;
    }
    return false;
}
