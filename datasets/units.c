#define _GNU_SOURCE /* qsort_r */
#include "datasets/units.h"

#include "attn/alloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MARK "\u2581"
#define BLANK "<blank>"

/* ---- The table of tokens ---- */

static int by_token(const void *a, const void *b, void *context) {
    char *const *tokens = context;
    return strcmp(tokens[*(const size_t *)a], tokens[*(const size_t *)b]);
}

int units_index(units *u, const char *name, attn_error *error) {
    u->sorted = attn_alloc(u->count, sizeof *u->sorted, "units", error);
    if (!u->sorted)
        return -1;
    for (size_t i = 0; i < u->count; i++) {
        size_t length = strlen(u->tokens[i]);
        u->sorted[i] = i;
        u->longest = length > u->longest ? length : u->longest;
    }
    qsort_r(u->sorted, u->count, sizeof *u->sorted, by_token, u->tokens);
    for (size_t i = 1; i < u->count; i++)
        if (!strcmp(u->tokens[u->sorted[i]], u->tokens[u->sorted[i - 1]]))
            return attn_fail(error, "%s: token %.40s has the numbers %zu and %zu", name,
                             u->tokens[u->sorted[i]], u->sorted[i - 1], u->sorted[i]);
    return 0;
}

static int compare_bytes(const char *text, size_t length, const char *token) {
    int order = strncmp(text, token, length);
    return order ? order : -(token[length] != '\0');
}

static long find_bytes(const units *u, const char *text, size_t length) {
    size_t low = 0, high = u->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_bytes(text, length, u->tokens[u->sorted[middle]]);
        if (!order)
            return (long)u->sorted[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

long units_find(const units *u, const char *token) {
    return find_bytes(u, token, strlen(token));
}

void units_free(units *u) {
    for (size_t i = 0; u->tokens && i < u->count; i++)
        attn_free(u->tokens[i]);
    attn_free(u->tokens);
    attn_free(u->sorted);
    *u = (units){0};
}

/* ---- Made from transcripts ---- */

static bool is_space(char c) {
    return c == ' ' || c == '\t';
}

/* Bytes of the code point that begins here; a broken one is a byte by itself. */
static size_t character_bytes(const char *text) {
    unsigned char c = (unsigned char)*text;
    size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 1;
    return length;
}

/* The next unit of the text, whose spaces are over: its bytes. */
static size_t next_unit(units_kind kind, const char *text) {
    if (kind == UNITS_CHARACTERS)
        return character_bytes(text);
    size_t length = 0;
    while (text[length] && !is_space(text[length]))
        length++;
    return length;
}

static int add_token(units *u, const char *bytes, size_t length, attn_error *error) {
    char **grown = attn_grown(u->tokens, u->count, sizeof *grown, "units", error);
    if (!grown)
        return -1;
    u->tokens = grown;
    char *token = attn_alloc(length + 1, 1, "units", error);
    if (!token)
        return -1;
    memcpy(token, bytes, length);
    u->tokens[u->count++] = token;
    return 0;
}

static int compare_strings(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Keeps <blank>, then each of the others once and in order. */
static void sort_once(units *u) {
    size_t kept = 1;
    if (u->count > 1)
        qsort(u->tokens + 1, u->count - 1, sizeof *u->tokens, compare_strings);
    for (size_t i = 1; i < u->count; i++)
        if (kept > 1 && !strcmp(u->tokens[i], u->tokens[kept - 1]))
            attn_free(u->tokens[i]);
        else
            u->tokens[kept++] = u->tokens[i];
    u->count = kept;
}

/* Each text's units are sorted out as soon as there are twice as many as are known, so that memory is bounded. */
static int gather(units *u, units_kind kind, const char *const *texts, size_t count, attn_error *error) {
    size_t limit = 4096;
    if (add_token(u, BLANK, strlen(BLANK), error) ||
        (kind == UNITS_CHARACTERS && add_token(u, WORD_MARK, strlen(WORD_MARK), error)))
        return -1;
    for (size_t i = 0; i < count; i++) {
        for (const char *at = texts[i]; *at;) {
            size_t length = is_space(*at) ? 1 : next_unit(kind, at);
            if (!is_space(*at) && add_token(u, at, length, error))
                return -1;
            at += length;
        }
        if (u->count > limit) {
            sort_once(u);
            limit = 2 * u->count + 4096;
        }
    }
    sort_once(u);
    return 0;
}

int units_make(units *u, units_kind kind, const char *const *texts, size_t count, attn_error *error) {
    *u = (units){.kind = kind};
    if (!gather(u, kind, texts, count, error) && !units_index(u, "units", error))
        return 0;
    units_free(u);
    return -1;
}

/* ---- Text to numbers ---- */

static int append(int32_t *labels, size_t *count, const units *u, const char *bytes, size_t length) {
    long number = find_bytes(u, bytes, length);
    if (number < 1)
        return -1;
    labels[(*count)++] = (int32_t)number;
    return 0;
}

static int encode_words(const units *u, const char *text, const char *id, int32_t *labels, size_t *count,
                        attn_error *error) {
    for (const char *at = text; *at;) {
        size_t length = is_space(*at) ? 1 : next_unit(UNITS_WORDS, at);
        if (!is_space(*at) && append(labels, count, u, at, length))
            return attn_fail(error, "utterance %s: the word \"%.*s\" is not among the units", id,
                             (int)(length < 80 ? length : 80), at);
        at += length;
    }
    return 0;
}

/* `marked` is the text with U+2581 for spaces. */
static int encode_pieces(const units *u, const char *marked, const char *id, int32_t *labels, size_t *count,
                         attn_error *error) {
    for (const char *at = marked; *at;) {
        size_t left = strlen(at), length = left < u->longest ? left : u->longest;
        while (length && append(labels, count, u, at, length))
            length--;
        if (!length)
            return attn_fail(error, "utterance %s: \"%.*s\" is not among the units, in \"%.80s\"", id,
                             (int)character_bytes(at), at, marked);
        at += length;
    }
    return 0;
}

/* Each run of spaces becomes one U+2581. Units whose words begin with it have one before the first word, too. */
static char *mark_words(const units *u, const char *text, attn_error *error) {
    char *marked = attn_alloc(4 * strlen(text) + 8, 1, "transcript", error), *to = marked;
    bool first = true, begins = false;
    if (!marked)
        return NULL;
    for (size_t i = 1; i < u->count; i++)
        begins |= !strncmp(u->tokens[i], WORD_MARK, 3) && u->tokens[i][3];
    for (const char *at = text; *at; first = false) {
        at += strspn(at, " \t");
        size_t length = strcspn(at, " \t");
        if (length && (!first || begins))
            to = stpcpy(to, WORD_MARK);
        memcpy(to, at, length);
        to += length;
        at += length;
    }
    return marked;
}

int units_encode(const units *u, const char *text, const char *id, int32_t **labels, size_t *count,
                 attn_error *error) {
    *count = 0;
    *labels = attn_alloc(4 * strlen(text) + 8, sizeof **labels, "labels", error);
    char *marked = *labels && u->kind == UNITS_CHARACTERS ? mark_words(u, text, error) : NULL;
    int result = -1;
    if (*labels && u->kind == UNITS_WORDS)
        result = encode_words(u, text, id, *labels, count, error);
    else if (marked)
        result = encode_pieces(u, marked, id, *labels, count, error);
    attn_free(marked);
    if (result) {
        attn_free(*labels);
        *labels = NULL;
    }
    return result;
}

/* ---- Numbers to text ---- */

/* Appends the token; each U+2581 is a space. */
static char *append_piece(char *to, const char *token) {
    while (*token)
        if (!strncmp(token, WORD_MARK, 3)) {
            *to++ = ' ';
            token += 3;
        } else {
            *to++ = *token++;
        }
    return to;
}

/* No spaces at the ends, one between words. */
static void tidy(char *text) {
    char *to = text;
    for (const char *at = text; *at; at++)
        if (*at != ' ' || (to > text && to[-1] != ' '))
            *to++ = *at;
    if (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}

char *units_decode(const units *u, const int32_t *labels, size_t count, attn_error *error) {
    char *text = attn_alloc(count * (u->longest + 1) + 1, 1, "text", error), *to = text;
    for (size_t i = 0; text && i < count; i++) {
        const char *token = u->tokens[labels[i]];
        to = u->kind == UNITS_WORDS ? stpcpy(stpcpy(to, token), " ") : append_piece(to, token);
    }
    if (text) {
        *to = '\0';
        tidy(text);
    }
    return text;
}
