#include "datasets/transcripts.h"

#include "attn/alloc.h"

#include <stdlib.h>
#include <string.h>

static int by_id(const void *a, const void *b) {
    return strcmp(((const transcript *)a)->id, ((const transcript *)b)->id);
}

static int check_id(const char *id, const char *name, size_t line, attn_error *error) {
    for (const char *c = id; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '/')
            return attn_fail(error,
                             "%s: line %zu: byte %d of the utterance's id is 0x%02x, expected printable "
                             "ASCII without a slash",
                             name, line, (int)(c - id) + 1, (unsigned char)*c);
    return 0;
}

/* Cuts one line in place. An empty one leaves *out alone and returns 0. */
static int parse_line(transcript *out, char *text, const char *name, size_t line, attn_error *error) {
    size_t length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    if (!length)
        return 0;
    char *words = text + strcspn(text, " \t");
    if (!*words || words == text)
        return attn_fail(error, "%s: line %zu: \"%.40s\", expected an utterance's id, a space and its words",
                         name, line, text);
    *words++ = '\0';
    *out = (transcript){.id = text, .text = words + strspn(words, " \t")};
    return check_id(text, name, line, error);
}

static int parse_lines(transcripts *t, const char *name, attn_error *error) {
    size_t line = 0;
    for (char *next = t->buffer; next;) {
        char *text = strsep(&next, "\n");
        transcript parsed = {0};
        if (parse_line(&parsed, text, name, ++line, error))
            return -1;
        if (parsed.id)
            t->lines[t->count++] = parsed;
    }
    qsort(t->lines, t->count, sizeof *t->lines, by_id);
    for (size_t i = 1; i < t->count; i++)
        if (!by_id(&t->lines[i - 1], &t->lines[i]))
            return attn_fail(error, "%s: utterance %.80s is there twice", name, t->lines[i].id);
    return 0;
}

int transcripts_parse(transcripts *t, const char *text, size_t size, const char *name, attn_error *error) {
    *t = (transcripts){0};
    if (memchr(text, '\0', size))
        return attn_fail(error, "%s: has a NUL byte, expected text", name);
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    t->buffer = attn_alloc(size + 1, 1, name, error);
    t->lines = attn_alloc(lines, sizeof *t->lines, name, error);
    if (!t->buffer || !t->lines)
        goto failed;
    memcpy(t->buffer, text, size);
    if (!parse_lines(t, name, error))
        return 0;
failed:
    transcripts_free(t);
    return -1;
}

void transcripts_free(transcripts *t) {
    attn_free(t->buffer);
    attn_free(t->lines);
    *t = (transcripts){0};
}

const char *transcripts_find(const transcripts *t, const char *id) {
    transcript wanted = {.id = id};
    const transcript *found = t->count ? bsearch(&wanted, t->lines, t->count, sizeof *t->lines, by_id) : NULL;
    return found ? found->text : NULL;
}
