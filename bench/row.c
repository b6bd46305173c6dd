#include "bench/row.h"

#include "base/text/append.h"
#include "bench/field.h"
#include "bench/kind.h"

#include <stdio.h>
#include <string.h>

enum { MOST_WORDS = 24 };

static bool takes(const bench_case *c, const bench_field *field) {
    return bench_field_applies(field, field->rows, c);
}

/* The field's index, or -1. */
static int find_field(const char *kind, const bench_case *c, const char *key, attn_error *error) {
    char known[128] = "";
    for (int i = 0; i < BENCH_FIELDS; i++) {
        if (!takes(c, &bench_fields[i]))
            continue;
        if (!strcmp(bench_fields[i].key, key))
            return i;
        text_list(known, sizeof known, ", ", "%s", bench_fields[i].key);
    }
    return attn_fail(error, "%s: not a key of %s/%s, which takes %s", key, kind, c->subject, known);
}

static int read_number(bench_case *c, const bench_field *field, const char *text, attn_error *error) {
    size_t value = 0;
    bool good = *text != '\0';
    for (const char *digit = text; good && *digit; digit++) {
        good = *digit >= '0' && *digit <= '9' && value <= field->most;
        value = value * 10 + (size_t)(*digit - '0');
    }
    if (!good || value < field->least || value > field->most)
        return attn_fail(error, "%s: found \"%s\", expected a number from %zu to %zu", field->key, text,
                         field->least, field->most);
    bench_field_set(field, c, value);
    return 0;
}

static int read_word(bench_case *c, const bench_field *field, const char *text, attn_error *error) {
    char known[128] = "";
    for (size_t i = 0; field->words[i]; i++) {
        if (!strcmp(field->words[i], text)) {
            bench_field_set(field, c, i);
            return 0;
        }
        text_list(known, sizeof known, ", ", "%s", field->words[i]);
    }
    return attn_fail(error, "%s: found \"%s\", expected one of %s", field->key, text, known);
}

static void set_defaults(bench_case *c, const bench_kind_ops *kind) {
    for (size_t i = 0; i < BENCH_FIELDS; i++)
        if (takes(c, &bench_fields[i]))
            bench_field_set(&bench_fields[i], c, bench_fields[i].fallback);
    if (kind->defaults)
        kind->defaults(c);
}

static int read_keys(bench_case *c, const bench_kind_ops *kind, char **words, size_t count,
                     attn_error *error) {
    bool given[BENCH_FIELDS] = {false};
    set_defaults(c, kind);
    for (size_t i = 0; i < count; i++) {
        char *colon = strchr(words[i], ':');
        if (!colon)
            return attn_fail(error, "\"%s\": expected key:value", words[i]);
        *colon = '\0';
        int at = find_field(kind->name, c, words[i], error);
        if (at < 0)
            return -1;
        const bench_field *field = &bench_fields[at];
        if (given[at])
            return attn_fail(error, "%s: given twice", field->key);
        given[at] = true;
        if ((field->words ? read_word : read_number)(c, field, colon + 1, error))
            return -1;
    }
    for (size_t i = 0; i < BENCH_FIELDS; i++)
        if (bench_fields[i].required && !given[i] && takes(c, &bench_fields[i]))
            return attn_fail(error, "%s: missing, expected the number of %s", bench_fields[i].key,
                             bench_fields[i].about);
    return kind->complete(c, error);
}

static int write_name(bench_case *c, const bench_kind_ops *kind, attn_error *error) {
    int used =
        snprintf(c->name, sizeof c->name, "%s/%s%s%s", kind->name, c->subject, *c->mode ? "/" : "", c->mode);
    for (size_t i = 0; i < BENCH_FIELDS && (size_t)used < sizeof c->name; i++) {
        const bench_field *field = &bench_fields[i];
        if (!takes(c, field) || ((field->unnamed & (unsigned)c->where) && bench_field_is_default(field, c)))
            continue;
        char *end = c->name + used;
        size_t left = sizeof c->name - (size_t)used, value = bench_field_get(field, c);
        used += field->words ? snprintf(end, left, "/%s:%s", field->key, field->words[value])
                             : snprintf(end, left, "/%s:%zu", field->key, value);
    }
    return (size_t)used < sizeof c->name ? 0 : attn_fail(error, "its full name is too long");
}

static int read_words(bench_case *c, char **words, size_t count, attn_error *error) {
    char known[64] = "";
    for (size_t i = 0; bench_kinds[i]; i++) {
        const bench_kind_ops *kind = bench_kinds[i];
        text_list(known, sizeof known, ", ", "%s", kind->name);
        if (strcmp(words[0], kind->name))
            continue;
        c->kind = kind->kind;
        if (count < 1 + kind->words)
            return attn_fail(error, "expected %s", kind->form);
        if (kind->subject(c, words + 1, error) ||
            read_keys(c, kind, words + 1 + kind->words, count - 1 - kind->words, error))
            return -1;
        return write_name(c, kind, error);
    }
    return attn_fail(error, "starts with \"%s\", expected one of %s", words[0], known);
}

int bench_case_parse(bench_case *c, const char *row, attn_error *error) {
    char text[BENCH_NAME_MAX], *words[MOST_WORDS];
    attn_error inner = {0};
    size_t count = 0;
    *c = (bench_case){0};
    if (strlen(row) >= sizeof text)
        return attn_fail(error, "row \"%.40s...\": expected fewer than %d characters", row, BENCH_NAME_MAX);
    strcpy(text, row);
    for (char *word = text, *slash; word; word = slash) {
        if (count == MOST_WORDS)
            return attn_fail(error, "row \"%s\": more than %d words", row, MOST_WORDS);
        slash = strchr(word, '/');
        if (slash)
            *slash++ = '\0';
        words[count++] = word;
    }
    if (read_words(c, words, count, &inner))
        return attn_fail(error, "row \"%s\": %s", row, inner.message);
    return 0;
}
