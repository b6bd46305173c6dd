/* YAML to a draft. (libcyaml would fill the structure from a schema, but does not keep the line of each key, which
 * every message here names.) */
#include "impl/io/config_keys.h"

#include "base/text/append.h"
#include "base/text/yaml.h"

#include "attn/size.h"

#include <stdio.h>
#include <string.h>

typedef struct reader {
    yaml_file file;
    config_draft *draft;
    attn_error *error;
} reader;

/* The file goes no further. */
static int troubled(reader *r) {
    return attn_fail_as(r->error, r->file.trouble.code, "%s", r->file.trouble.message);
}

static int unknown_key(reader *r, const yaml_node_t *key, const char *parent) {
    char known[512] = "";
    for (size_t i = 0; config_keys[i].name; i++)
        if (!strcmp(config_keys[i].parent ? config_keys[i].parent : "", parent))
            text_list(known, sizeof known, ", ", "%s", config_keys[i].name);
    return attn_fail(r->error, "%s:%zu: %s%s%.60s: unknown key, expected one of %s", r->file.name,
                     yaml_line(key), parent, *parent ? "." : "", (const char *)key->data.scalar.value, known);
}

/* The row of a key, noted as given on its line; -1 when it is unknown or comes twice. */
static int find_row(reader *r, const yaml_node_t *key, const char *parent) {
    if (key->type != YAML_SCALAR_NODE)
        return attn_fail(r->error, "%s:%zu: found a map or list as a key, expected a name", r->file.name,
                         yaml_line(key));
    const char *name = (const char *)key->data.scalar.value;
    int row = strlen(name) == key->data.scalar.length ? config_key_find(parent, name) : -1;
    if (row < 0)
        return unknown_key(r, key, parent);
    size_t *line = &r->draft->lines[row];
    if (*line)
        return attn_fail(r->error, "%s:%zu: %s: found twice (first on line %zu), expected once", r->file.name,
                         yaml_line(key), name, *line);
    *line = yaml_line(key);
    return row;
}

static int wrong_value(reader *r, int row, const char *found) {
    const config_key *key = &config_keys[row];
    char expected[512];
    config_key_expected((size_t)row, expected);
    return attn_fail(r->error, "%s:%zu: %s%s%s: found %s, expected %s", r->file.name, r->draft->lines[row],
                     key->parent ? key->parent : "", key->parent ? "." : "", key->name, found, expected);
}

static int read_scalar(reader *r, int row, const yaml_node_t *value) {
    const char *text = (const char *)value->data.scalar.value;
    bool plain = value->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (strlen(text) == value->data.scalar.length && !config_key_set(r->draft, (size_t)row, text, plain))
        return 0;
    char found[80];
    snprintf(found, sizeof found, plain ? "%.60s" : "\"%.60s\"", plain && !*text ? "nothing" : text);
    return wrong_value(r, row, found);
}

/* latent_dim: [a, b, ...] */
static int read_latent_dims(reader *r, int row, yaml_node_t *list) {
    config_draft *draft = r->draft;
    size_t *one = &draft->config.attention.latent_dim, largest = 0;
    for (size_t i = 0; i < yaml_count(list); i++) {
        const yaml_node_t *item = yaml_item(&r->file, list, i);
        *one = 0;
        if (item->type != YAML_SCALAR_NODE)
            return wrong_value(r, row, "a list of lists or maps");
        if (draft->latent_count == ATTN_LATENT_LAYERS)
            return wrong_value(r, row, "a list that is too long");
        if (read_scalar(r, row, item))
            return -1;
        if (!*one)
            return wrong_value(r, row, "a list with null in it");
        draft->latent_dims[draft->latent_count++] = *one;
        largest = attn_larger(*one, largest);
    }
    if (yaml_is_open(&r->file, list))
        return troubled(r);
    if (!draft->latent_count)
        return wrong_value(r, row, "an empty list");
    *one = largest;
    return 0;
}

static int read_map(reader *r, const yaml_node_t *map, const char *parent);

static int read_value(reader *r, int row, yaml_node_t *value) {
    if (value->type == YAML_SCALAR_NODE)
        return read_scalar(r, row, value);
    if (value->type == YAML_MAPPING_NODE)
        return config_keys[row].kind == KEY_MAP ? read_map(r, value, config_keys[row].name)
                                                : wrong_value(r, row, "a map");
    return row == (int)config_key_of(r->draft, &r->draft->config.attention.latent_dim)
               ? read_latent_dims(r, row, value)
               : wrong_value(r, row, "a list");
}

static int read_map(reader *r, const yaml_node_t *map, const char *parent) {
    const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
    for (; pair < map->data.mapping.pairs.top; pair++) {
        int row = find_row(r, yaml_key(&r->file, pair), parent);
        yaml_node_t *value = yaml_value(&r->file, pair);
        if (row < 0)
            return -1;
        if (value ? read_value(r, row, value) : troubled(r))
            return -1;
    }
    return yaml_is_open(&r->file, map) ? troubled(r) : 0;
}

int config_yaml_read(config_draft *draft, const char *text, size_t size, const char *name,
                     attn_error *error) {
    reader r = {.draft = draft, .error = error};
    yaml_file_read(&r.file, text, size, name, true);
    int result = r.file.root ? read_map(&r, r.file.root, "") : 0;
    if (!result && r.file.trouble.code)
        result = troubled(&r);
    yaml_file_free(&r.file);
    return result;
}
