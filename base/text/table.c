#include "base/text/table.h"
#include "base/text/json.h"

#include "attn/alloc.h"

#include <ctype.h>
#include <string.h>

const char *const table_format_names[] = {"md", "csv", "json", "tex", NULL};
const char table_mib[] = "%.4g";
static const double MIB = 1048576;

void table_init(text_table *t, const char *title, const table_column *columns) {
    *t = (text_table){.title = title, .columns = columns, .rows = json_array()};
}

void table_add(text_table *t, json_t *row) {
    if (!row || !t->rows || json_array_append_new(t->rows, row)) {
        json_decref(t->rows);
        t->rows = NULL;
    }
}

void table_free(text_table *t) {
    json_decref(t->rows);
    *t = (text_table){0};
}

/* A number that rounds to 0 has no sign: "-0.00" and "+0.00" become "0.00". */
static const char *without_sign(const char *text) {
    return strspn(text, "+-0.") == strlen(text) ? text + strspn(text, "+-") : text;
}

static char *plain_text(const json_t *value, const char *format, const char *missing, attn_error *error) {
    if (!value || json_is_null(value))
        return attn_strdup(missing, error);
    if (json_is_string(value))
        return attn_strdup(json_string_value(value), error);
    if (json_is_boolean(value))
        return attn_strdup(json_is_true(value) ? "yes" : "no", error);
    if (json_is_number(value) && format) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        char text[400];
        snprintf(text, sizeof text, format, json_number_value(value) / (format == table_mib ? MIB : 1));
#pragma GCC diagnostic pop
        return attn_strdup(without_sign(text), error);
    }
    if (json_is_integer(value))
        return attn_format(error, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_real(value))
        return attn_format(error, "%.10g", json_real_value(value));
    char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = attn_strdup(dumped ? dumped : "", error);
    json_free_text(dumped);
    return text;
}

/* Markdown takes HTML and links as they are: what a file said stays text. */
static const char *escape_markdown(const char *at) {
    if (*at == '|')
        return "\\|";
    if (*at == '<' && (isalpha((unsigned char)at[1]) || (at[1] && strchr("/!?", at[1]))))
        return "\\<";
    if (*at == ']' && at[1] == '(')
        return "\\]";
    return iscntrl((unsigned char)*at) ? " " : NULL;
}

static const char *escape(const char *at, table_format format) {
    char c = *at;
    switch (format) {
    case TABLE_MD:
        return escape_markdown(at);
    case TABLE_CSV:
        return c == '"' ? "\"\"" : NULL;
    case TABLE_TEX:
        if (iscntrl((unsigned char)c)) /* an empty line would end the table */
            return " ";
        switch (c) {
        case '&':
            return "\\&";
        case '%':
            return "\\%";
        case '$':
            return "\\$";
        case '#':
            return "\\#";
        case '_':
            return "\\_";
        case '{':
            return "\\{";
        case '}':
            return "\\}";
        case '~':
            return "\\textasciitilde{}";
        case '^':
            return "\\textasciicircum{}";
        case '\\':
            return "\\textbackslash{}";
        case '<':
            return "\\textless{}";
        case '>':
            return "\\textgreater{}";
        case '|':
            return "\\textbar{}";
        default:
            return NULL;
        }
    default:
        return NULL;
    }
}

char *table_escape(const char *text, table_format format, attn_error *error) {
    size_t size = 3;
    for (const char *c = text; *c; c++) {
        const char *e = escape(c, format);
        size += e ? strlen(e) : 1;
    }
    char *out = attn_alloc(size, 1, "table cell", error);
    if (!out)
        return NULL;
    int quote = format == TABLE_CSV && strpbrk(text, ",\"\r\n");
    char *p = out;
    if (quote)
        *p++ = '"';
    for (const char *c = text; *c; c++) {
        const char *e = escape(c, format);
        if (e)
            p = stpcpy(p, e);
        else
            *p++ = *c;
    }
    if (quote)
        *p++ = '"';
    *p = '\0';
    return out;
}

char *table_cell_text(const text_table *t, size_t row, size_t column, table_format format,
                      attn_error *error) {
    const table_column *c = &t->columns[column];
    const json_t *value = json_object_get(json_array_get(t->rows, row), c->key);
    char *plain = plain_text(value, format == TABLE_CSV ? NULL : c->format,
                             format == TABLE_CSV   ? ""
                             : format == TABLE_TEX ? "---"
                                                   : "\u2014",
                             error);
    char *text = plain ? table_escape(plain, format, error) : NULL;
    attn_free(plain);
    return text;
}

char *table_header_text(const text_table *t, size_t column, table_format format, attn_error *error) {
    return table_escape(t->columns[column].header, format, error);
}

int table_is_numeric(const text_table *t, size_t column) {
    size_t i;
    json_t *row;
    int any = 0;
    json_array_foreach(t->rows, i, row) {
        const json_t *value = json_object_get(row, t->columns[column].key);
        if (value && !json_is_null(value) && !json_is_number(value))
            return 0;
        any |= json_is_number(value);
    }
    return any;
}

/* The first row with this text under `key`: there is one. */
static size_t first_with(const text_table *t, const char *key, const char *text) {
    size_t at = 0;
    for (;; at++) {
        const char *its = json_string_value(json_object_get(json_array_get(t->rows, at), key));
        if (its && !strcmp(its, text))
            return at;
    }
}

void table_say_once(text_table *t, const char *key, const char *name) {
    for (size_t i = json_array_size(t->rows); i-- > 0;) {
        json_t *row = json_array_get(t->rows, i);
        const char *text = json_string_value(json_object_get(row, key));
        const json_t *first = text ? json_array_get(t->rows, first_with(t, key, text)) : row;
        const char *of = json_string_value(json_object_get(first, name));
        if (first != row && of)
            json_object_set_new(row, key, json_sprintf("as %s", of));
    }
}
