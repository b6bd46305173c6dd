#include "reports/page/template/mustache.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { DEEPEST = 32, KEY = 64 };

/* The objects that a key is looked up in, the innermost first. */
typedef struct scope {
    const json_t *value;
    const struct scope *outer;
} scope;

typedef struct renderer {
    FILE *out;
    const mustache_file *files, *file;
    int depth;
    attn_error *error;
} renderer;

/* {{kind key}}, from `start` up to `end`. `kind` is ' ' for a value, '{' for one that is not escaped. */
typedef struct tag {
    char kind, key[KEY];
    const char *start, *end;
} tag;

static int fail_at(const renderer *r, const char *at, const char *what, const char *key) {
    size_t line = 1;
    for (const char *c = r->file->text; c < at; c++)
        line += *c == '\n';
    return attn_fail(r->error, "%s:%zu: %s%s", r->file->name, line, what, key);
}

void mustache_escape(FILE *out, const char *text) {
    static const struct {
        char from;
        const char *to;
    } escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    for (const char *c = text; *c; c++) {
        const char *to = NULL;
        for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
            to = *c == escapes[i].from ? escapes[i].to : to;
        if (to)
            fputs(to, out);
        else if ((unsigned char)*c >= ' ' && *c != 0x7f)
            fputc(*c, out);
    }
}

/* ---- reading */

/* The first tag from `at` on. 0: there is none. */
static int next_tag(tag *t, const renderer *r, const char *at) {
    t->start = strstr(at, "{{");
    if (!t->start)
        return 0;
    const char *name = t->start + 2;
    t->kind = ' ';
    if (*name && strchr("#^/>!{", *name))
        t->kind = *name++;
    const char *close = strstr(name, t->kind == '{' ? "}}}" : "}}");
    if (!close)
        return fail_at(r, t->start, "a tag is not closed", "");
    t->end = close + (t->kind == '{' ? 3 : 2);
    while (name < close && isspace((unsigned char)*name))
        name++;
    while (close > name && isspace((unsigned char)close[-1]))
        close--;
    snprintf(t->key, KEY, "%.*s", (int)(close - name), name);
    return 1;
}

/* Whether a tag that prints nothing itself has its line to itself; then the line goes with it. */
static bool is_alone(tag *t, const char *text) {
    const char *from = t->start, *to = t->end;
    if (t->kind == ' ' || t->kind == '{')
        return false;
    while (from > text && (from[-1] == ' ' || from[-1] == '\t'))
        from--;
    while (*to == ' ' || *to == '\t')
        to++;
    if ((from > text && from[-1] != '\n') || (*to && *to != '\n'))
        return false;
    t->start = from;
    t->end = *to ? to + 1 : to;
    return true;
}

/* The {{/key}} that belongs to a section that begins before `at`. */
static int closing_tag(tag *close, const renderer *r, const tag *open) {
    int inner = 0;
    const char *at = open->end;
    for (;;) {
        int found = next_tag(close, r, at);
        if (found < 0)
            return -1;
        if (!found)
            return fail_at(r, open->start, "a section is not closed: ", open->key);
        if (close->kind == '/' && !inner--)
            break;
        inner += close->kind == '#' || close->kind == '^';
        at = close->end;
    }
    if (strcmp(open->key, close->key))
        return fail_at(r, close->start, "closes another section than the one that is open: ", close->key);
    is_alone(close, r->file->text);
    return 0;
}

/* ---- looking up */

static const json_t *look_up(const scope *s, const char *key) {
    if (!strcmp(key, "."))
        return s->value;
    char first[KEY];
    size_t length = strcspn(key, ".");
    snprintf(first, sizeof first, "%.*s", (int)length, key);
    while (s && !json_object_get(s->value, first))
        s = s->outer;
    const json_t *value = s ? json_object_get(s->value, first) : NULL;
    if (!value || !key[length])
        return value;
    const scope inner = {value, NULL};
    return look_up(&inner, key + length + 1);
}

static bool is_nothing(const json_t *value) {
    return json_is_null(value) || json_is_false(value) || (json_is_array(value) && !json_array_size(value)) ||
           (json_is_string(value) && !*json_string_value(value));
}

/* ---- printing */

static int render_text(renderer *r, const char *from, const char *end, const scope *s);

static int render_value(renderer *r, const tag *t, const json_t *value) {
    if (json_is_string(value))
        (t->kind == '{' ? (void)fputs(json_string_value(value), r->out)
                        : mustache_escape(r->out, json_string_value(value)));
    else if (json_is_integer(value))
        fprintf(r->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (!json_is_null(value))
        return fail_at(r, t->start, "is neither text nor a whole number: ", t->key);
    return 0;
}

static int render_section(renderer *r, const tag *open, const tag *close, const json_t *value,
                          const scope *s) {
    bool nothing = is_nothing(value);
    if (open->kind == '^' || nothing)
        return nothing == (open->kind == '^') ? render_text(r, open->end, close->start, s) : 0;
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < count; i++) {
        const scope inner = {json_is_array(value) ? json_array_get(value, i) : value, s};
        if (render_text(r, open->end, close->start, &inner))
            return -1;
    }
    return 0;
}

static int render_file(renderer *r, const char *name, const scope *s, const char *at) {
    const mustache_file *file = r->files, *before = r->file;
    while (file->name && strcmp(file->name, name))
        file++;
    if (!file->name)
        return at ? fail_at(r, at, "there is no template ", name)
                  : attn_fail(r->error, "there is no template %s", name);
    if (r->depth == DEEPEST)
        return fail_at(r, at, "templates use each other without end: ", name);
    r->file = file;
    r->depth++;
    int result = render_text(r, file->text, file->text + strlen(file->text), s);
    r->depth--;
    r->file = before;
    return result;
}

/* Prints what the tag stands for; *t then ends where the text goes on. */
static int render_tag(renderer *r, tag *t, const scope *s) {
    tag close;
    if (t->kind == '!')
        return 0;
    if (t->kind == '>')
        return render_file(r, t->key, s, t->start);
    if (t->kind == '/')
        return fail_at(r, t->start, "closes a section that is not open: ", t->key);
    const json_t *value = look_up(s, t->key);
    if (!value)
        return fail_at(r, t->start, "the data has no key ", t->key);
    if (t->kind == ' ' || t->kind == '{')
        return render_value(r, t, value);
    if (closing_tag(&close, r, t) || render_section(r, t, &close, value, s))
        return -1;
    t->end = close.end;
    return 0;
}

static int render_text(renderer *r, const char *from, const char *end, const scope *s) {
    tag t;
    while (from < end) {
        int found = next_tag(&t, r, from);
        if (found < 0)
            return -1;
        if (!found || t.start >= end)
            break;
        is_alone(&t, r->file->text);
        fwrite(from, 1, (size_t)(t.start > from ? t.start - from : 0), r->out);
        if (render_tag(r, &t, s))
            return -1;
        from = t.end;
    }
    if (from < end)
        fwrite(from, 1, (size_t)(end - from), r->out);
    return 0;
}

int mustache_render(FILE *out, const mustache_file *files, const char *name, const json_t *data,
                    attn_error *error) {
    renderer r = {.out = out, .files = files, .error = error};
    const scope outermost = {data, NULL};
    return render_file(&r, name, &outermost, NULL);
}
