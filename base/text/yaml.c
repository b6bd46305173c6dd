#include "base/text/yaml.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/append.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int yaml_fail(const yaml_file *file, const yaml_node_t *node, const char *key, attn_error *error,
              const char *format, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return attn_fail(error, "%s:%zu: %.64s%s%s", file->name, yaml_line(node), key, *key ? ": " : "", message);
}

static const char *kind_of(const yaml_node_t *node) {
    return node->type == YAML_SEQUENCE_NODE ? "a list" : node->type == YAML_MAPPING_NODE ? "keys" : "a value";
}

size_t yaml_line(const yaml_node_t *node) {
    return node->start_mark.line + 1;
}

int yaml_file_parse(yaml_file *file, const char *text, size_t size, const char *name, attn_error *error) {
    yaml_file_read(file, text, size, name, false);
    if (!file->trouble.code)
        return 0;
    attn_fail_as(error, file->trouble.code, "%s", file->trouble.message);
    yaml_file_free(file);
    return -1;
}

void yaml_file_free(yaml_file *file) {
    if (file->made)
        yaml_document_delete(&file->document);
    *file = (yaml_file){0};
}

static const char *scalar(const yaml_node_t *node) {
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static yaml_node_t *node_at(yaml_file *file, int index) {
    return yaml_document_get_node(&file->document, index);
}

yaml_node_t *yaml_key(yaml_file *file, const yaml_node_pair_t *pair) {
    return node_at(file, pair->key);
}

yaml_node_t *yaml_value(yaml_file *file, const yaml_node_pair_t *pair) {
    return node_at(file, pair->value);
}

bool yaml_is_open(yaml_file *file, const yaml_node_t *node) {
    return file->open && node_at(file, file->open) == node;
}

yaml_node_t *yaml_find(yaml_file *file, const yaml_node_t *mapping, const char *key) {
    for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top;
         p++) {
        const char *name = scalar(node_at(file, p->key));
        if (name && !strcmp(name, key))
            return node_at(file, p->value);
    }
    return NULL;
}

static int check_key(yaml_file *file, const yaml_node_t *mapping, const yaml_node_pair_t *pair,
                     const char *const *known, attn_error *error) {
    const yaml_node_t *key = node_at(file, pair->key);
    const char *name = scalar(key);
    char list[320] = "";
    if (!name)
        return yaml_fail(file, key, "", error, "found %s, expected a key", kind_of(key));
    for (size_t i = 0; known[i]; i++) {
        text_list(list, sizeof list, ", ", "%s", known[i]);
        if (strcmp(name, known[i]))
            continue;
        for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < pair; p++)
            if (!strcmp(scalar(node_at(file, p->key)), name))
                return yaml_fail(file, key, name, error, "given twice");
        return 0;
    }
    return yaml_fail(file, key, name, error, "unknown key, expected one of %s", list);
}

int yaml_check_keys(yaml_file *file, const yaml_node_t *mapping, const char *const *known,
                    attn_error *error) {
    for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top;
         p++)
        if (check_key(file, mapping, p, known, error))
            return -1;
    return 0;
}

size_t yaml_count(const yaml_node_t *list) {
    return list->type == YAML_SEQUENCE_NODE
               ? (size_t)(list->data.sequence.items.top - list->data.sequence.items.start)
               : 1;
}

yaml_node_t *yaml_item(yaml_file *file, yaml_node_t *list, size_t index) {
    return list->type == YAML_SEQUENCE_NODE ? node_at(file, list->data.sequence.items.start[index]) : list;
}

const char *yaml_text(const yaml_file *file, const yaml_node_t *node, const char *key, attn_error *error) {
    const char *text = scalar(node);
    if (!text)
        yaml_fail(file, node, key, error, "found %s, expected one value", kind_of(node));
    else if (strlen(text) != node->data.scalar.length)
        yaml_fail(file, node, key, error, "found a NUL character");
    else
        return text;
    return NULL;
}

int yaml_integer(const yaml_file *file, const yaml_node_t *node, const char *key, uint64_t lowest,
                 uint64_t highest, uint64_t *value, attn_error *error) {
    const char *text = yaml_text(file, node, key, error);
    if (!text)
        return -1;
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    int digits = text[strspn(text, "0123456789")] == '\0';
    if (!*text || !digits || errno || *value < lowest || *value > highest)
        return yaml_fail(file, node, key, error,
                         "found \"%.40s\", expected a whole number from %" PRIu64 " to %" PRIu64, text,
                         lowest, highest);
    return 0;
}

int yaml_number(const yaml_file *file, const yaml_node_t *node, const char *key, double lowest,
                double highest, double *value, attn_error *error) {
    const char *text = yaml_text(file, node, key, error);
    if (!text)
        return -1;
    char *end;
    *value = strtod(text, &end);
    if (end == text || *end || !(*value >= lowest && *value <= highest))
        return yaml_fail(file, node, key, error, "found \"%.40s\", expected a number from %g to %g", text,
                         lowest, highest);
    return 0;
}

char *yaml_plain_name(const char *file, attn_error *error) {
    const char *slash = strrchr(file, '/');
    char *name = attn_strdup(slash ? slash + 1 : file, error);
    char *dot = name ? strrchr(name, '.') : NULL;
    if (dot && dot != name && !strcmp(dot, ".yaml"))
        *dot = '\0';
    return name;
}
