/* units.txt: a token, a space and its number a line. */
#include "datasets/units.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 26 };

typedef struct reader {
    const char *name;
    size_t line;
    units *into;
} reader;

static int parse_line(reader *r, char *text, attn_error *error) {
    size_t length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    char *number = text + length;
    while (number > text && number[-1] >= '0' && number[-1] <= '9')
        number--;
    if (!*number || number < text + 2 || !strchr(" \t", number[-1]))
        return attn_fail(error, "%s: line %zu: \"%.40s\", expected a token and its number", r->name, r->line,
                         text);
    size_t token = (size_t)(number - text);
    while (token && strchr(" \t", text[token - 1]))
        token--;
    if (strtoull(number, NULL, 10) != r->into->count)
        return attn_fail(error, "%s: line %zu: number %.20s, expected %zu", r->name, r->line, number,
                         r->into->count);
    text[token] = '\0';
    if (!token || strpbrk(text, " \t"))
        return attn_fail(error, "%s: line %zu: \"%.40s\", expected a token without spaces", r->name, r->line,
                         text);
    r->into->tokens[r->into->count] = attn_strdup(strcmp(text, "<space>") ? text : "\u2581", error);
    if (!r->into->tokens[r->into->count])
        return -1;
    r->into->count++;
    return 0;
}

static int parse_lines(units *u, char *text, const char *name, attn_error *error) {
    reader r = {.name = name, .into = u};
    for (char *next = text; next;) {
        char *line = strsep(&next, "\n");
        r.line++;
        if (*line && strspn(line, " \t\r") < strlen(line) && parse_line(&r, line, error))
            return -1;
    }
    if (u->count < 2 || strcmp(u->tokens[0], "<blank>"))
        return attn_fail(error, "%s: expected <blank> 0, then at least one token", name);
    return 0;
}

static void find_kind(units *u) {
    u->kind = UNITS_WORDS;
    for (size_t i = 0; i < u->count; i++)
        if (strstr(u->tokens[i], "\u2581"))
            u->kind = UNITS_CHARACTERS;
}

int units_parse(units *u, const char *text, size_t size, const char *name, attn_error *error) {
    *u = (units){0};
    if (memchr(text, '\0', size))
        return attn_fail(error, "%s: has a NUL byte, expected text", name);
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    char *copy = attn_alloc(size + 1, 1, name, error);
    u->tokens = attn_alloc(lines, sizeof *u->tokens, name, error);
    int result = -1;
    if (copy && u->tokens) {
        memcpy(copy, text, size);
        result = parse_lines(u, copy, name, error);
    }
    if (!result) {
        find_kind(u);
        result = units_index(u, name, error);
    }
    attn_free(copy);
    if (result)
        units_free(u);
    return result;
}

int units_read(units *u, const char *path, attn_error *error) {
    size_t size;
    char *text = attn_read_file(path, MOST_BYTES, &size, error);
    *u = (units){0};
    int result = text ? units_parse(u, text, size, path, error) : -1;
    attn_free(text);
    return result;
}

int units_write(const units *u, const char *path, attn_error *error) {
    attn_output output;
    if (attn_output_open(&output, path, error))
        return -1;
    for (size_t i = 0; i < u->count; i++)
        fprintf(output.stream, "%s %zu\n", u->tokens[i], i);
    return attn_output_commit(&output, error);
}
