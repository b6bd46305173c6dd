#define _GNU_SOURCE /* memmem */
#include "attn/config.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/size.h"
#include "base/text/append.h"
#include "impl/io/config_keys.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 20, UNITS_LIMIT = 1 << 22, CONV2D_FRAMES = 7, TEXT_SIZE = 4096 };

static bool given(const config_draft *draft, const void *field) {
    return draft->given[config_key_of(draft, field)];
}

/* Those that depend on nothing else. */
static config_draft new_draft(void) {
    return (config_draft){
        .config =
            {
                .model_type = ATTN_MODEL_CONFORMER,
                .variant = attn_variant_find("mha"),
                .attention = {.d_model = 512, .num_heads = 8},
                .num_layers = 12,
                .input_dim = 80,
                .conv_kernel_size = 31,
                .cgmlp_weight = 0.5,
                .merge_method = ATTN_MERGE_CONCAT,
                .input_layer = ATTN_INPUT_CONV2D,
                .conv_norm = ATTN_NORM_BATCH,
                .after_norm = true,
                .layer_norm_eps = 1e-5,
                .dropout = 0.1,
                .weight_decay = 0.01,
                .train = {.batch_frames = 2000,
                          .warmup_steps = 100,
                          .final_rate = 0.05,
                          .clip = 5,
                          .average_checkpoints = 1,
                          .spec_augment = true,
                          .frequency_masks = 2,
                          .frequency_width = 10,
                          .time_masks = 2,
                          .time_width = 15},
            },
        .ff_expansion_factor = 4,
        .macaron_style = true,
        .mlp_expansion_factor = 4,
    };
}

static void fill_defaults(config_draft *draft) {
    attn_config *c = &draft->config;
    const config_draft defaults = new_draft();
    for (size_t i = 0; config_keys[i].name; i++)
        if (!config_key_used(&config_keys[i], c))
            config_key_reset(draft, i, &defaults);
    bool bare = c->model_type == ATTN_MODEL_ATTENTION;
    if (bare) {
        c->after_norm = false; /* there is none in a bare attention layer */
        if (!given(draft, &c->num_layers))
            c->num_layers = 1;
        if (!given(draft, &c->input_layer))
            c->input_layer = ATTN_INPUT_NONE;
    }
    if (!given(draft, &c->attention.pos_enc))
        c->attention.pos_enc = bare ? ATTN_POS_NONE : c->variant->is_softmax ? ATTN_POS_REL : ATTN_POS_ABS;
    if (!given(draft, &c->input_dim) && c->input_layer == ATTN_INPUT_NONE)
        c->input_dim = c->attention.d_model;
}

/* Checks: the message starts with the key, which *key gets too. */

static int expanded_units(size_t *units, double factor, size_t d_model, const char *name, const char **key,
                          attn_error *error) {
    double exact = factor * (double)d_model, whole = round(exact);
    *key = name;
    if (fabs(exact - whole) > 1e-6 * whole || whole < 1 || whole > UNITS_LIMIT)
        return attn_fail(error,
                         "%s: found %g, which makes %g units of d_model %zu, expected a whole number 1 to %d",
                         name, factor, exact, d_model, UNITS_LIMIT);
    *units = (size_t)whole;
    return 0;
}

/* Factors of d_model become units. */
static int settle_units(config_draft *draft, const char **key, attn_error *error) {
    attn_config *c = &draft->config;
    size_t d_model = c->attention.d_model, units = 0;
    c->one_feed_forward = !draft->macaron_style;
    if (c->model_type == ATTN_MODEL_CONFORMER)
        return expanded_units(&c->ff_units, draft->ff_expansion_factor, d_model, "ff_expansion_factor", key,
                              error);
    if (c->model_type != ATTN_MODEL_BRANCHFORMER)
        return 0;
    bool by_units = given(draft, &c->cgmlp_units), by_factor = given(draft, &draft->mlp_expansion_factor);
    if (by_units && !by_factor)
        return 0;
    if (expanded_units(&units, draft->mlp_expansion_factor, d_model, "mlp_expansion_factor", key, error))
        return -1;
    if (by_units && units != c->cgmlp_units)
        return attn_fail(
            error, "mlp_expansion_factor: found %g, which makes %zu units, but cgmlp_linear_units is %zu",
            draft->mlp_expansion_factor, units, c->cgmlp_units);
    c->cgmlp_units = units;
    return 0;
}

static int check_latent_dims(const attn_config *c, const char **key, attn_error *error) {
    size_t listed = 0, largest = 0;
    while (listed < ATTN_LATENT_LAYERS && c->latent_dims[listed]) {
        largest = attn_larger(c->latent_dims[listed], largest);
        listed++;
    }
    if (!listed)
        return 0;
    *key = "latent_dim";
    if (listed != c->num_layers)
        return attn_fail(error, "latent_dim: found a list of %zu, expected one for each of num_layers %zu",
                         listed, c->num_layers);
    if (largest != c->attention.latent_dim)
        return attn_fail(error, "latent_dim: the largest of its list is %zu, expected %zu", largest,
                         c->attention.latent_dim);
    return 0;
}

/* A list that gives every layer the same is no list. */
static void settle_latent_dims(config_draft *draft) {
    attn_config *c = &draft->config;
    bool differ = false;
    for (size_t i = 0; i < draft->latent_count; i++)
        differ |= draft->latent_dims[i] != c->attention.latent_dim;
    for (size_t i = 0; i < draft->latent_count; i++)
        if (c->variant->has_latent && (differ || draft->latent_count != c->num_layers))
            c->latent_dims[i] = (uint32_t)draft->latent_dims[i];
}

static int check_shapes(const attn_config *c, const char **key, attn_error *error) {
    *key = "input_dim";
    if (c->input_layer == ATTN_INPUT_NONE && c->input_dim != c->attention.d_model)
        return attn_fail(error, "input_dim: found %zu, expected d_model %zu because input_layer is none",
                         c->input_dim, c->attention.d_model);
    if (c->input_layer == ATTN_INPUT_CONV2D && c->input_dim < CONV2D_FRAMES)
        return attn_fail(error, "input_dim: found %zu, expected at least %d because input_layer is conv2d",
                         c->input_dim, CONV2D_FRAMES);
    *key = "conv_kernel_size";
    if (c->model_type != ATTN_MODEL_ATTENTION && !c->causal && c->conv_kernel_size % 2 == 0)
        return attn_fail(error, "conv_kernel_size: found %zu, expected an odd size unless causal is true",
                         c->conv_kernel_size);
    *key = "cgmlp_linear_units";
    if (c->model_type == ATTN_MODEL_BRANCHFORMER && c->cgmlp_units % 2)
        return attn_fail(error, "cgmlp_linear_units: found %zu, expected an even number (half of it gates)",
                         c->cgmlp_units);
    return 0;
}

/* A draft with the rows' own values, as though they had been read. */
static config_draft draft_of(const attn_config *config) {
    config_draft draft = {.config = *config};
    draft.macaron_style = !config->one_feed_forward;
    if (config->model_type == ATTN_MODEL_CONFORMER)
        draft.ff_expansion_factor = (double)config->ff_units / (double)config->attention.d_model;
    return draft;
}

static unsigned choices_of(const config_key *key) {
    unsigned count = 0;
    while (key->choices[count])
        count++;
    return count;
}

/* Every value that the model uses is one that its row takes. */
static int check_ranges(const attn_config *config, const char **key, attn_error *error) {
    config_draft draft = draft_of(config);
    for (size_t i = 0; config_keys[i].name; i++) {
        const config_key *row = &config_keys[i];
        const void *field = (const char *)&draft + row->offset;
        char found[64], expected[512];
        *key = row->name;
        if (row->kind == KEY_CHOICE && *(const unsigned *)field >= choices_of(row))
            return attn_fail(error, "%s: found choice %u of %u", row->name, *(const unsigned *)field,
                             choices_of(row));
        bool is_number = row->kind == KEY_SIZE || row->kind == KEY_REAL;
        if (!is_number || !config_key_used(row, config) || config_key_in_range(&draft, i))
            continue;
        config_key_print(&draft, i, found);
        config_key_expected(i, expected);
        return attn_fail(error, "%s: found %s, expected %s", row->name, found, expected);
    }
    return 0;
}

static int check(const attn_config *config, const char **key, attn_error *error) {
    if (!config->variant)
        return attn_fail(error, "attention_type: found none");
    attn_geometry g = config->attention;
    if (check_ranges(config, key, error) || attn_geometry_complete(&g, config->variant, key, error) ||
        check_latent_dims(config, key, error) || check_shapes(config, key, error))
        return -1;
    attn_error inner = {0};
    *key = "kv_dtype";
    return attn_cache_type_check(config->variant, config->kv_dtype, &inner)
               ? attn_fail_as(error, inner.code, "kv_dtype: %s", inner.message)
               : 0;
}

int attn_config_check(const attn_config *config, const char *where, attn_error *error) {
    attn_error why = {0};
    const char *key;
    return check(config, &key, &why) ? attn_fail_as(error, why.code, "%s: %s", where, why.message) : 0;
}

/* The line of a key or, where its value is a default, of the key that the default depends on; 0: neither. */
static size_t line_of(const config_draft *draft, const char *key) {
    size_t line = 0;
    for (size_t i = 0; config_keys[i].name; i++)
        if (key && !strcmp(config_keys[i].name, key))
            line = draft->lines[i];
    if (!line && key && !strcmp(key, "num_heads"))
        return line_of(draft, "d_model");
    if (!line && key && !strcmp(key, "num_kv_heads"))
        return line_of(draft, "num_heads");
    if (!line && key && !strcmp(key, "cgmlp_linear_units"))
        return line_of(draft, "mlp_expansion_factor");
    if (!line && key &&
        (!strcmp(key, "mlp_expansion_factor") || !strcmp(key, "ff_expansion_factor") ||
         !strcmp(key, "input_dim")))
        return line_of(draft, "d_model");
    return line;
}

/* One line that lists the keys which were given and are not used. */
static void write_note(const config_draft *draft, const char *name, char note[256]) {
    note[0] = '\0';
    for (size_t i = 0; config_keys[i].name; i++) {
        const config_key *row = &config_keys[i];
        if (!draft->given[i] || config_key_used(row, &draft->config))
            continue;
        if (!*note)
            text_append(note, 256, "%.80s: ignored: ", name);
        else
            text_append(note, 256, ", ");
        text_append(note, 256, "%s on line %zu (%s)", row->name, draft->lines[i], config_use_text(row->use));
    }
}

/* A training configuration of ESPnet or WeNet has many keys that are unknown here. To say what it is helps more
 * than to name the first of them. */
static int refuse(const char *text, size_t size, const char *name, const attn_error *why, attn_error *error) {
    static const char key[] = "\nencoder_conf:";
    bool is_training = size >= sizeof key &&
                       (!strncmp(text, key + 1, sizeof key - 2) || memmem(text, size, key, sizeof key - 1));
    if (is_training)
        return attn_fail(
            error,
            "%s: a training configuration of ESPnet or WeNet: "
            "harness/conversion/convert_checkpoint.py --training-config makes one for attnbench of it",
            name);
    return attn_fail(error, "%s", why->message);
}

/* A draft whose defaults are filled in. */
static int check_draft(config_draft *draft, const char **key, attn_error *error) {
    attn_config *c = &draft->config;
    if (attn_geometry_complete(&c->attention, c->variant, key, error) || settle_units(draft, key, error))
        return -1;
    return check(c, key, error);
}

int attn_config_parse(attn_config *config, const char *text, size_t size, const char *name, char note[256],
                      attn_error *error) {
    config_draft draft = new_draft();
    attn_error why = {0};
    const char *key = NULL;
    if (note)
        note[0] = '\0';
    if (config_yaml_read(&draft, text, size, name, &why))
        return refuse(text, size, name, &why, error);
    fill_defaults(&draft);
    settle_latent_dims(&draft);
    if (check_draft(&draft, &key, &why)) {
        size_t line = line_of(&draft, key);
        return line ? attn_fail_as(error, why.code, "%s:%zu: %s", name, line, why.message)
                    : attn_fail_as(error, why.code, "%s: %s", name, why.message);
    }
    if (note)
        write_note(&draft, name, note);
    *config = draft.config;
    return 0;
}

int attn_config_read(attn_config *config, const char *path, char note[256], attn_error *error) {
    size_t size;
    if (note)
        note[0] = '\0';
    char *text = attn_read_file(path, FILE_LIMIT, &size, error);
    if (!text)
        return -1;
    int result = attn_config_parse(config, text, size, path, note, error);
    attn_free(text);
    return result;
}

/* latent_dim as a list, where layers differ. */
static void print_latent_dims(char *text, size_t size, const attn_config *config) {
    for (size_t i = 0; i < config->num_layers; i++)
        text_append(text, size, "%s%" PRIu32, i ? ", " : "  latent_dim: [", config->latent_dims[i]);
    text_append(text, size, "]\n");
}

static bool prints_alike(const config_draft *a, const config_draft *b, size_t row) {
    char first[64] = "", second[64] = "";
    bool printed = config_key_print(a, row, first);
    return printed == config_key_print(b, row, second) && !strcmp(first, second);
}

/* A row of the section `train`, or the section itself, that says nothing new: it is left out. Its rows are
 * the last of the table. */
static bool is_default_training(const config_draft *draft, size_t row) {
    const config_draft defaults = new_draft();
    const char *parent = config_keys[row].parent;
    bool section = !parent && !strcmp(config_keys[row].name, "train");
    if (!section)
        return parent && !strcmp(parent, "train") && prints_alike(draft, &defaults, row);
    for (size_t i = row + 1; config_keys[i].name; i++)
        if (!prints_alike(draft, &defaults, i))
            return false;
    return true;
}

char *attn_config_format(const attn_config *config, attn_error *error) {
    config_draft draft = draft_of(config);
    char text[TEXT_SIZE] = "", value[64];
    for (size_t i = 0; config_keys[i].name; i++) {
        const config_key *row = &config_keys[i];
        if (!config_key_used(row, config))
            continue;
        const char *indent = row->parent ? "  " : "";
        if (is_default_training(&draft, i))
            continue;
        if (row->kind == KEY_MAP && !strcmp(row->name, "train")) {
            text_append(text, sizeof text, "train:\n");
        } else if (row->kind == KEY_MAP) {
            bool filled = config->variant->has_latent || config->variant->has_kv_heads;
            text_append(text, sizeof text, "%s:%s\n", row->name, filled ? "" : " null");
        } else if (row->offset == offsetof(config_draft, config.attention.latent_dim) &&
                   config->latent_dims[0]) {
            print_latent_dims(text, sizeof text, config);
        } else if (config_key_print(&draft, i, value)) {
            text_append(text, sizeof text, "%s%s: %s\n", indent, row->name, value);
        }
    }
    return attn_strdup(text, error);
}

attn_geometry attn_config_geometry(const attn_config *config, size_t layer) {
    attn_geometry g = config->attention;
    if (config->latent_dims[0])
        g.latent_dim = config->latent_dims[layer];
    return g;
}

size_t attn_output_frames(const attn_config *config, size_t frames) {
    if (config->input_layer != ATTN_INPUT_CONV2D)
        return frames;
    return frames < CONV2D_FRAMES ? 0 : ((frames - 1) / 2 - 1) / 2;
}

size_t attn_frame_factor(attn_input_layer input) {
    return input == ATTN_INPUT_CONV2D ? 4 : 1;
}

size_t attn_input_frames(const attn_config *config, size_t frames) {
    bool conv2d = config->input_layer == ATTN_INPUT_CONV2D;
    return attn_frame_factor(config->input_layer) * frames + (conv2d ? 3 : 0);
}
