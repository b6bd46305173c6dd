/* YAML to a draft by libyaml's events. (libcyaml would fill the structure from a schema, but does not keep
 * the line of each key, which every message here names.) */
#include "impl/io/config_keys.h"

#include "attn/size.h"

#include <string.h>
#include <yaml.h>

typedef struct reader {
    yaml_parser_t parser;
    config_draft *draft;
    const char *name;
    attn_error *error;
} reader;

static size_t line_of(const yaml_event_t *event) {
    return event->start_mark.line + 1;
}

static int parser_failed(reader *r) {
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return attn_no_memory(r->error, r->name);
    if (p->error == YAML_READER_ERROR)
        return attn_fail(r->error, "%s: byte %zu: %s", r->name, p->problem_offset, p->problem);
    return attn_fail(r->error, "%s:%zu: not valid YAML: %s", r->name, p->problem_mark.line + 1,
                     p->problem ? p->problem : "unknown reason");
}

/* Aliases would let a short file stand for a huge one, and tags could change what a value is. */
static const char *unwanted(const yaml_event_t *event) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "an alias";
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    default:
        break;
    }
    return anchor ? "an anchor" : tag ? "a tag" : NULL;
}

/* On success the event is the caller's to delete. */
static int next_event(reader *r, yaml_event_t *event) {
    if (!yaml_parser_parse(&r->parser, event))
        return parser_failed(r);
    const char *what = unwanted(event);
    if (!what)
        return 0;
    attn_fail(r->error, "%s:%zu: found %s, expected plain keys and values", r->name, line_of(event), what);
    yaml_event_delete(event);
    return -1;
}

static int unknown_key(reader *r, const yaml_event_t *event, const char *parent) {
    char known[512] = "";
    for (size_t i = 0; config_keys[i].name; i++)
        if (!strcmp(config_keys[i].parent ? config_keys[i].parent : "", parent)) {
            size_t used = strlen(known);
            snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", config_keys[i].name);
        }
    return attn_fail(r->error, "%s:%zu: %s%s%.60s: unknown key, expected one of %s", r->name, line_of(event),
                     parent, *parent ? "." : "", (const char *)event->data.scalar.value, known);
}

/* The row of a key, noted as given on its line; -1 when it is unknown or comes twice. */
static int find_row(reader *r, const yaml_event_t *event, const char *parent) {
    const char *name = (const char *)event->data.scalar.value;
    int row = strlen(name) == event->data.scalar.length ? config_key_find(parent, name) : -1;
    if (row < 0)
        return unknown_key(r, event, parent);
    size_t *line = &r->draft->lines[row];
    if (*line)
        return attn_fail(r->error, "%s:%zu: %s: found twice (first on line %zu), expected once", r->name,
                         line_of(event), name, *line);
    *line = line_of(event);
    return row;
}

static int wrong_value(reader *r, int row, const char *found) {
    const config_key *key = &config_keys[row];
    char expected[512];
    config_key_expected((size_t)row, expected);
    return attn_fail(r->error, "%s:%zu: %s%s%s: found %s, expected %s", r->name, r->draft->lines[row],
                     key->parent ? key->parent : "", key->parent ? "." : "", key->name, found, expected);
}

static int read_scalar(reader *r, int row, const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (strlen(text) == event->data.scalar.length && !config_key_set(r->draft, (size_t)row, text, plain))
        return 0;
    char found[80];
    snprintf(found, sizeof found, plain ? "%.60s" : "\"%.60s\"", plain && !*text ? "nothing" : text);
    return wrong_value(r, row, found);
}

/* latent_dim: [a, b, ...], from after its start. */
static int read_latent_dims(reader *r, int row) {
    config_draft *draft = r->draft;
    size_t *one = &draft->config.attention.latent_dim, largest = 0;
    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event))
            return -1;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        int result = -1;
        *one = 0;
        if (event.type != YAML_SCALAR_EVENT)
            wrong_value(r, row, "a list of lists or maps");
        else if (draft->latent_count == ATTN_LATENT_LAYERS)
            wrong_value(r, row, "a list that is too long");
        else
            result = read_scalar(r, row, &event);
        yaml_event_delete(&event);
        if (result)
            return -1;
        if (!*one)
            return wrong_value(r, row, "a list with null in it");
        draft->latent_dims[draft->latent_count++] = *one;
        largest = attn_larger(*one, largest);
    }
    if (!draft->latent_count)
        return wrong_value(r, row, "an empty list");
    *one = largest;
    return 0;
}

static int read_map(reader *r, const char *parent);

static int read_value(reader *r, int row, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, row, event);
    case YAML_MAPPING_START_EVENT:
        if (config_keys[row].kind == KEY_MAP)
            return read_map(r, config_keys[row].name);
        return wrong_value(r, row, "a map");
    case YAML_SEQUENCE_START_EVENT:
        if (row == (int)config_key_of(r->draft, &r->draft->config.attention.latent_dim))
            return read_latent_dims(r, row);
        return wrong_value(r, row, "a list");
    default:
        return wrong_value(r, row, "a list");
    }
}

/* From after the start of a map to its end. */
static int read_map(reader *r, const char *parent) {
    for (;;) {
        yaml_event_t key, value;
        if (next_event(r, &key))
            return -1;
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return 0;
        }
        int row = key.type == YAML_SCALAR_EVENT
                      ? find_row(r, &key, parent)
                      : attn_fail(r->error, "%s:%zu: found a map or list as a key, expected a name", r->name,
                                  line_of(&key));
        yaml_event_delete(&key);
        if (row < 0 || next_event(r, &value))
            return -1;
        int result = read_value(r, row, &value);
        yaml_event_delete(&value);
        if (result)
            return -1;
    }
}

/* Takes the next event, which must be of the type; `expected` says so otherwise. */
static int expect(reader *r, yaml_event_type_t type, const char *expected) {
    yaml_event_t event;
    if (next_event(r, &event))
        return -1;
    int result = 0;
    if (event.type != type)
        result = attn_fail(r->error, "%s:%zu: %s", r->name, line_of(&event), expected);
    yaml_event_delete(&event);
    return result;
}

int config_yaml_read(config_draft *draft, const char *text, size_t size, const char *name,
                     attn_error *error) {
    reader r = {.draft = draft, .name = name, .error = error};
    if (!yaml_parser_initialize(&r.parser))
        return attn_no_memory(error, name);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    int result = -1;
    if (!expect(&r, YAML_STREAM_START_EVENT, "not YAML") &&
        !expect(&r, YAML_DOCUMENT_START_EVENT, "found nothing, expected a map of keys") &&
        !expect(&r, YAML_MAPPING_START_EVENT, "found no keys, expected a map of keys") && !read_map(&r, "") &&
        !expect(&r, YAML_DOCUMENT_END_EVENT, "found more after the map, expected its end") &&
        !expect(&r, YAML_STREAM_END_EVENT, "found a second document, expected one"))
        result = 0;
    yaml_parser_delete(&r.parser);
    return result;
}
