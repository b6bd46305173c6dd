#include "base/text/json_list.h"

#include "attn/alloc.h"
#include "base/text/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct reader {
    const char *begin, *at, *end;
    const char *name;
    const char *list;           /* its key */
    const char *const *without; /* members of elements that are passed over; NULL: none */
    json_element *each;
    void *context;
    char *shorter; /* an element without them */
    attn_error *error;
} reader;

static int wrong(const reader *r, int line, const char *why) {
    for (const char *c = r->begin; (c = memchr(c, '\n', (size_t)(r->at - c))); c++)
        line++;
    return attn_fail(r->error, "%s:%d: not JSON, or cut short: %s", r->name, line, why);
}

/* The next byte that is no space, which stays; -1 at the end. */
static int peek(reader *r) {
    while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
        r->at++;
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

static int expect(reader *r, int byte, const char *why) {
    if (peek(r) != byte)
        return wrong(r, 1, why);
    r->at++;
    return 0;
}

/* NULL: it is none. */
static json_t *read_value(reader *r) {
    json_error_t why;
    json_t *value = json_loadb(r->at, (size_t)(r->end - r->at),
                               JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &why);
    if (value)
        r->at += why.position;
    else if (json_lacked_memory(&why))
        attn_no_memory(r->error, r->name);
    else
        wrong(r, why.line > 0 ? why.line : 1, why.text);
    return value;
}

/* After the string at `at`; NULL: it has no end. */
static const char *pass_string(const char *at, const char *end) {
    for (const char *from = at + 1; (at = memchr(from, '"', (size_t)(end - from))); from = at + 1) {
        size_t escapes = 0;
        while (at[-1 - (ptrdiff_t)escapes] == '\\') /* what comes first is the string's own quote */
            escapes++;
        if (escapes % 2 == 0)
            return at + 1;
    }
    return NULL;
}

/* Most bytes of a value are none of these. */
static bool has_meaning(char byte) {
    static const bool meanings[256] = {
        ['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true, [','] = true};
    return meanings[(unsigned char)byte];
}

/* The byte after the value at `at`, found by its quotes and brackets alone; NULL: the text ends before the value. */
static const char *pass_value(const char *at, const char *end) {
    size_t depth = 0;
    while (at) {
        while (at < end && !has_meaning(*at))
            at++;
        if (at == end)
            return NULL;
        if (*at == '"') {
            at = pass_string(at, end);
            continue;
        }
        bool closes = *at == '}' || *at == ']';
        if (!depth && (closes || *at == ','))
            return at;
        depth += *at == '{' || *at == '[';
        depth -= closes;
        at++;
    }
    return NULL;
}

static bool is_passed(const reader *r, const char *name, size_t length) {
    for (const char *const *key = r->without; *key; key++)
        if (**key == *name && !strncmp(*key, name, length) && !(*key)[length])
            return true;
    return false;
}

/* Room for `size` bytes more behind the `used` ones, and for a comma and a bracket. */
static bool make_room(reader *r, size_t used, size_t size) {
    size_t needed = used + size + 2;
    if (needed > attn_alloc_size(r->shorter)) {
        char *grown = attn_realloc(r->shorter, 2 * needed, 1, "an element", NULL);
        if (!grown)
            return false;
        r->shorter = grown;
    }
    return true;
}

/* The object at r->at without some of its members, in r->shorter: its size, and *after. 0: not as expected. */
static size_t shorten(reader *r, const char **after) {
    reader in = *r;
    size_t used = 1;
    if (peek(&in) != '{' || !make_room(r, 0, 1))
        return 0;
    r->shorter[0] = *in.at++;
    while (peek(&in) == '"') {
        const char *name = in.at, *stop = pass_string(name, in.end);
        in.at = stop;
        if (!stop || peek(&in) != ':' || !(in.at = pass_value(in.at, in.end)))
            return 0;
        size_t size = (size_t)(in.at - name);
        if (!is_passed(r, name + 1, (size_t)(stop - name) - 2)) {
            if (!make_room(r, used, size))
                return 0;
            r->shorter[used] = ',';
            used += used > 1;
            memcpy(r->shorter + used, name, size);
            used += size;
        }
        if (*in.at != ',')
            break;
        in.at++;
        if (peek(&in) != '"')
            return 0;
    }
    if (peek(&in) != '}')
        return 0;
    r->shorter[used++] = '}';
    *after = in.at + 1;
    return used;
}

/* What cannot be shortened is read whole, and its faults are named then. */
static json_t *read_element(reader *r) {
    const char *after;
    json_error_t why;
    size_t size = r->without ? shorten(r, &after) : 0;
    json_t *element = size ? json_loadb(r->shorter, size, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (!element)
        return read_value(r);
    r->at = after;
    return element;
}

static int read_list(reader *r, const json_t *before) {
    if (expect(r, '[', "expected a list"))
        return -1;
    while (peek(r) != ']') {
        json_t *element = read_element(r);
        if (!element || r->each(r->context, before, element, r->error))
            return -1;
        if (peek(r) != ']' && expect(r, ',', "expected , or ]"))
            return -1;
        if (r->at[-1] == ',' && peek(r) == ']')
            return wrong(r, 1, "expected an element after ,");
    }
    r->at++;
    return 0;
}

static int read_member(reader *r, json_t *to) {
    json_t *key = peek(r) == '"' ? read_value(r) : NULL;
    if (!key)
        return r->error->code ? -1 : wrong(r, 1, "expected the name of a member");
    int result = expect(r, ':', "expected :");
    const char *name = json_string_value(key);
    if (!result && json_object_get(to, name))
        result = wrong(r, 1, "duplicate object key");
    bool list = !result && !strcmp(name, r->list) && peek(r) == '[';
    json_t *value = NULL;
    if (!result)
        result = list ? read_list(r, to) : (value = read_value(r)) ? 0 : -1;
    if (!result && json_object_set_new(to, name, list ? json_array() : value))
        result = attn_no_memory(r->error, r->name);
    json_decref(key);
    return result;
}

static int read_object(reader *r, json_t *to) {
    r->at++;
    while (peek(r) != '}') {
        if (read_member(r, to) || (peek(r) != '}' && expect(r, ',', "expected , or }")))
            return -1;
        if (r->at[-1] == ',' && peek(r) == '}')
            return wrong(r, 1, "expected a member after ,");
    }
    r->at++;
    return peek(r) < 0 ? 0 : wrong(r, 1, "end of file expected");
}

/* Another value than an object: whole, so that what it is can be said. */
static json_t *read_other(reader *r) {
    json_t *value = read_value(r);
    if (value && peek(r) >= 0) {
        wrong(r, 1, "end of file expected");
        json_decref(value);
        value = NULL;
    }
    return value;
}

json_t *json_read_list(const char *text, size_t size, const char *name, const char *key,
                       const char *const *without, json_element *each, void *context, attn_error *error) {
    reader r = {.begin = text,
                .at = text,
                .end = text + size,
                .name = name,
                .list = key,
                .without = without,
                .each = each,
                .context = context,
                .error = error};
    if (peek(&r) != '{')
        return read_other(&r);
    json_t *object = json_object();
    int result = object ? read_object(&r, object) : attn_no_memory(error, name);
    attn_free(r.shorter);
    if (!result)
        return object;
    json_decref(object);
    return NULL;
}
