/* Strict reading of small YAML files: one document, no duplicate keys, every message FILE:LINE: KEY: what was found
 * and what was expected. */
#ifndef BASE_TEXT_YAML_H
#define BASE_TEXT_YAML_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

typedef struct yaml_file {
    yaml_document_t document;
    const char *name;   /* for messages */
    yaml_node_t *root;  /* a mapping; NULL: the file is no such thing */
    attn_error trouble; /* why the file could not be read to its end */
    int open;           /* the innermost list or mapping that has no end for that; 0: none */
    bool made;          /* there is a document */
} yaml_file;

/* Of "some/where/tiny.yaml": "tiny", to be freed with attn_free. NULL: no memory. */
char *yaml_plain_name(const char *file, attn_error *error);

/* Loads the one document of a text; its root is a mapping. `name` must outlive the file. Free with
 * yaml_file_free (a zeroed one is fine too). */
int yaml_file_parse(yaml_file *file, const char *text, size_t size, const char *name, attn_error *error);

/* The same for readers that check as they go, so that the first mistake in a file is the one that is reported:
 * the document as far as it goes, with `trouble` after it. A key whose value is not there has none (yaml_value:
 * NULL). `plain`: anchors, aliases and tags are trouble. Free it in any case. */
void yaml_file_read(yaml_file *file, const char *text, size_t size, const char *name, bool plain);
yaml_node_t *yaml_key(yaml_file *file, const yaml_node_pair_t *pair);
yaml_node_t *yaml_value(yaml_file *file, const yaml_node_pair_t *pair);
bool yaml_is_open(yaml_file *file, const yaml_node_t *node); /* trouble came before its end */
size_t yaml_line(const yaml_node_t *node);                   /* from 1 */
void yaml_file_free(yaml_file *file);

/* The node of a mapping's key, or NULL. */
yaml_node_t *yaml_find(yaml_file *file, const yaml_node_t *mapping, const char *key);

/* All keys of the mapping are among `known` (NULL-terminated), each at most once. */
int yaml_check_keys(yaml_file *file, const yaml_node_t *mapping, const char *const *known, attn_error *error);

/* A list of nodes; one node that is not a sequence counts as a list of itself. */
size_t yaml_count(const yaml_node_t *list);
yaml_node_t *yaml_item(yaml_file *file, yaml_node_t *list, size_t index);

/* The text of a scalar; NULL and an error otherwise. */
const char *yaml_text(const yaml_file *file, const yaml_node_t *node, const char *key, attn_error *error);
int yaml_integer(const yaml_file *file, const yaml_node_t *node, const char *key, uint64_t lowest,
                 uint64_t highest, uint64_t *value, attn_error *error);
int yaml_number(const yaml_file *file, const yaml_node_t *node, const char *key, double lowest,
                double highest, double *value, attn_error *error);

/* FILE:LINE: KEY: message. Always -1. */
int yaml_fail(const yaml_file *file, const yaml_node_t *node, const char *key, attn_error *error,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
