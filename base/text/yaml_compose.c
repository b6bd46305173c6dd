/* A document from libyaml's events. libyaml's own loader would resolve anchors without a word, and gives nothing of
 * a file that has a mistake at its end. */
#include "base/text/yaml.h"

#include <string.h>

enum { DEPTH = 32, ANCHORS = 64, ANCHOR_NAME = 64 };

typedef struct anchor {
    char name[ANCHOR_NAME];
    int node;
} anchor;

typedef struct composer {
    yaml_parser_t parser;
    yaml_file *file;
    int open[DEPTH]; /* lists and mappings around what comes next, outermost first */
    bool key_is_next[DEPTH];
    size_t depth;
    bool begun; /* the one document */
    bool plain; /* no anchors, aliases and tags */
    anchor anchors[ANCHORS];
    size_t anchor_count;
} composer;

static size_t line_of(const yaml_event_t *event) {
    return event->start_mark.line + 1;
}

static int parser_failed(const yaml_parser_t *p, yaml_file *file) {
    if (p->error == YAML_MEMORY_ERROR)
        return attn_no_memory(&file->trouble, file->name);
    if (p->error == YAML_READER_ERROR)
        return attn_fail(&file->trouble, "%s: byte %zu: %s", file->name, p->problem_offset, p->problem);
    return attn_fail(&file->trouble, "%s:%zu: not valid YAML: %s", file->name, p->problem_mark.line + 1,
                     p->problem ? p->problem : "unknown reason");
}

/* Tags could change what a value is. */
static const char *tag_of(const yaml_event_t *event) {
    return (const char *)(event->type == YAML_SCALAR_EVENT           ? event->data.scalar.tag
                          : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.tag
                          : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.tag
                                                                     : NULL);
}

/* Aliases would let a short file stand for a huge one. */
static const char *anchor_of(const yaml_event_t *event) {
    return (const char *)(event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
                          : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.anchor
                          : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                                                                     : NULL);
}

static const char *unwanted(const composer *c, const yaml_event_t *event) {
    return !c->plain                         ? NULL
           : event->type == YAML_ALIAS_EVENT ? "an alias"
           : anchor_of(event)                ? "an anchor"
           : tag_of(event)                   ? "a tag"
                                             : NULL;
}

static int trouble(composer *c, const yaml_event_t *event, const char *what) {
    return attn_fail(&c->file->trouble, "%s:%zu: %s", c->file->name, line_of(event), what);
}

/* Into the list or mapping that is open. A key stands there without a value (0) until that comes. */
static int place(composer *c, int node) {
    yaml_document_t *document = &c->file->document;
    if (!c->depth)
        return 0;
    int parent = c->open[c->depth - 1];
    bool *key_is_next = &c->key_is_next[c->depth - 1];
    yaml_node_t *to = yaml_document_get_node(document, parent);
    if (to->type == YAML_SEQUENCE_NODE)
        return yaml_document_append_sequence_item(document, parent, node) ? 0 : -1;
    if (*key_is_next && !yaml_document_append_mapping_pair(document, parent, node, node))
        return -1;
    to->data.mapping.pairs.top[-1].value = *key_is_next ? 0 : node;
    *key_is_next = !*key_is_next;
    return 0;
}

static int note_anchor(composer *c, const yaml_event_t *e, const char *name, int node) {
    if (c->anchor_count == ANCHORS || strlen(name) >= ANCHOR_NAME)
        return trouble(c, e, "too many anchors, or one with too long a name");
    anchor *a = &c->anchors[c->anchor_count++];
    strcpy(a->name, name);
    a->node = node;
    return 0;
}

/* The newest anchor of that name. */
static int add_alias(composer *c, const yaml_event_t *e) {
    for (size_t i = c->anchor_count; i-- > 0;)
        if (!strcmp(c->anchors[i].name, (const char *)e->data.alias.anchor))
            return c->depth && place(c, c->anchors[i].node) ? attn_no_memory(&c->file->trouble, c->file->name)
                                                            : 0;
    return trouble(c, e, "found an alias without its anchor");
}

static int add_node(composer *c, const yaml_event_t *e) {
    yaml_document_t *document = &c->file->document;
    int node = e->type == YAML_SCALAR_EVENT
                   ? yaml_document_add_scalar(document, NULL, e->data.scalar.value,
                                              (int)e->data.scalar.length, e->data.scalar.style)
               : e->type == YAML_MAPPING_START_EVENT
                   ? yaml_document_add_mapping(document, NULL, e->data.mapping_start.style)
                   : yaml_document_add_sequence(document, NULL, e->data.sequence_start.style);
    if (!node || place(c, node))
        return attn_no_memory(&c->file->trouble, c->file->name);
    yaml_document_get_node(document, node)->start_mark = e->start_mark;
    if (anchor_of(e) && note_anchor(c, e, anchor_of(e), node))
        return -1;
    if (e->type == YAML_SCALAR_EVENT)
        return 0;
    if (c->depth == DEPTH)
        return trouble(c, e, "lists or maps within each other, too deep");
    c->key_is_next[c->depth] = true;
    c->open[c->depth++] = node;
    return 0;
}

/* 1: it was the last one. */
static int take(composer *c, const yaml_event_t *e) {
    const char *what = unwanted(c, e);
    if (what)
        return attn_fail(&c->file->trouble, "%s:%zu: found %s, expected plain keys and values", c->file->name,
                         line_of(e), what);
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (c->begun)
            return trouble(c, e, "found a second document, expected one");
        c->begun = true;
        return 0;
    case YAML_STREAM_END_EVENT:
        return c->begun ? 1 : trouble(c, e, "found nothing, expected a map of keys");
    case YAML_ALIAS_EVENT:
        return add_alias(c, e);
    case YAML_MAPPING_START_EVENT:
        return add_node(c, e);
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return c->depth ? add_node(c, e) : trouble(c, e, "found no keys, expected a map of keys");
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        c->depth--;
        return 0;
    default:
        return 0;
    }
}

static void compose(composer *c) {
    for (int result = 0; !result;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&c->parser, &event)) {
            parser_failed(&c->parser, c->file);
            return;
        }
        result = take(c, &event);
        yaml_event_delete(&event);
    }
}

void yaml_file_read(yaml_file *file, const char *text, size_t size, const char *name, bool plain) {
    composer c = {.file = file, .plain = plain};
    *file = (yaml_file){.name = name};
    file->made = yaml_document_initialize(&file->document, NULL, NULL, NULL, 1, 1);
    if (!file->made || !yaml_parser_initialize(&c.parser)) {
        attn_no_memory(&file->trouble, name);
        return;
    }
    yaml_parser_set_input_string(&c.parser, (const unsigned char *)text, size);
    compose(&c);
    yaml_parser_delete(&c.parser);
    file->open = c.depth ? c.open[c.depth - 1] : 0;
    file->root = yaml_document_get_root_node(&file->document);
}
