#include "bench/case.h"

#include "bench/kind.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MOST_WORDS = 24 };

static const bench_kind_ops *const kinds[] = {&bench_attention, &bench_encoder, &bench_machine};
static const bench_kind kind_ids[] = {BENCH_ATTENTION, BENCH_ENCODER, BENCH_MACHINE};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

const bench_kind_ops *bench_kind_of(const bench_case *c) {
    for (size_t i = 0; i < KINDS; i++)
        if (kind_ids[i] == c->kind)
            return kinds[i];
    return NULL;
}

static void append(char *text, size_t size, const char *more) {
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", more);
}

static bool key_applies(const bench_key *key, const bench_case *c) {
    return !key->applies || key->applies(c);
}

static const bench_key *find_key(const bench_kind_ops *kind, const bench_case *c, const char *name,
                                 attn_error *error) {
    char known[128] = "";
    for (const bench_key *key = kind->keys; key->name; key++) {
        if (key_applies(key, c) && !strcmp(key->name, name))
            return key;
        if (key_applies(key, c)) {
            append(known, sizeof known, *known ? ", " : "");
            append(known, sizeof known, key->name);
        }
    }
    attn_fail(error, "%s: not a key of %s/%s, which takes %s", name, kind->name, c->subject, known);
    return NULL;
}

static size_t get_number(const bench_case *c, const bench_key *key) {
    size_t value;
    memcpy(&value, (const char *)c + key->offset, sizeof value);
    return value;
}

static unsigned get_choice(const bench_case *c, const bench_key *key) {
    unsigned value;
    memcpy(&value, (const char *)c + key->offset, sizeof value);
    return value;
}

static int set_number(bench_case *c, const bench_key *key, const char *text, attn_error *error) {
    size_t value = 0, least = key->from_zero ? 0 : 1;
    bool good = *text != '\0';
    for (const char *digit = text; good && *digit; digit++) {
        good = *digit >= '0' && *digit <= '9' && value <= key->most;
        value = value * 10 + (size_t)(*digit - '0');
    }
    if (!good || value < least || value > key->most)
        return attn_fail(error, "%s: found \"%s\", expected a number from %zu to %zu", key->name, text, least,
                         key->most);
    memcpy((char *)c + key->offset, &value, sizeof value);
    return 0;
}

static int set_choice(bench_case *c, const bench_key *key, const char *text, attn_error *error) {
    char known[128] = "";
    const char *choice;
    for (unsigned i = 0; (choice = key->choice(c, i)); i++) {
        if (!strcmp(choice, text)) {
            memcpy((char *)c + key->offset, &i, sizeof i);
            return 0;
        }
        append(known, sizeof known, i ? ", " : "");
        append(known, sizeof known, choice);
    }
    return attn_fail(error, "%s: found \"%s\", expected one of %s", key->name, text, known);
}

static int parse_keys(bench_case *c, const bench_kind_ops *kind, char **words, size_t count,
                      attn_error *error) {
    uint32_t given = 0;
    for (size_t i = 0; i < count; i++) {
        char *colon = strchr(words[i], ':');
        if (!colon)
            return attn_fail(error, "\"%s\": expected key:value", words[i]);
        *colon = '\0';
        const bench_key *key = find_key(kind, c, words[i], error);
        if (!key)
            return -1;
        uint32_t bit = (uint32_t)1 << (key - kind->keys);
        if (given & bit)
            return attn_fail(error, "%s: given twice", key->name);
        given |= bit;
        if (key->choice ? set_choice(c, key, colon + 1, error) : set_number(c, key, colon + 1, error))
            return -1;
    }
    for (const bench_key *key = kind->keys; key->name; key++)
        if (!key->choice && key_applies(key, c) && !(given & (uint32_t)1 << (key - kind->keys)))
            memcpy((char *)c + key->offset, &key->fallback, sizeof key->fallback);
    return kind->complete(c, error);
}

static int write_name(bench_case *c, const bench_kind_ops *kind, attn_error *error) {
    int used =
        snprintf(c->name, sizeof c->name, "%s/%s%s%s", kind->name, c->subject, *c->mode ? "/" : "", c->mode);
    for (const bench_key *key = kind->keys; key->name && (size_t)used < sizeof c->name; key++) {
        if (!key_applies(key, c))
            continue;
        char *end = c->name + used;
        size_t left = sizeof c->name - (size_t)used;
        if (key->choice) {
            unsigned i = get_choice(c, key);
            if (!key->quiet || i)
                used += snprintf(end, left, "/%s:%s", key->name, key->choice(c, i));
        } else if (!key->quiet || get_number(c, key) != key->fallback) {
            used += snprintf(end, left, "/%s:%zu", key->name, get_number(c, key));
        }
    }
    return (size_t)used < sizeof c->name ? 0 : attn_fail(error, "its full name is too long");
}

static int parse_words(bench_case *c, char **words, size_t count, attn_error *error) {
    char known[64] = "";
    for (size_t i = 0; i < KINDS; i++) {
        append(known, sizeof known, i ? ", " : "");
        append(known, sizeof known, kinds[i]->name);
        if (strcmp(words[0], kinds[i]->name))
            continue;
        c->kind = kind_ids[i];
        if (count < 1 + kinds[i]->words)
            return attn_fail(error, "expected %s", kinds[i]->form);
        if (kinds[i]->subject(c, words + 1, error) ||
            parse_keys(c, kinds[i], words + 1 + kinds[i]->words, count - 1 - kinds[i]->words, error))
            return -1;
        return write_name(c, kinds[i], error);
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
    if (parse_words(c, words, count, &inner))
        return attn_fail(error, "row \"%s\": %s", row, inner.message);
    return 0;
}
