#include "base/text/formula.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

typedef struct parser {
    const char *text, *at;
    formula_lookup *lookup;
    void *context;
    bool check; /* the grammar and the names only */
    int depth;
    attn_error *error;
} parser;

static void skip_space(parser *p) {
    while (*p->at == ' ' || *p->at == '\t')
        p->at++;
}

static int unexpected(parser *p, const char *expected) {
    if (!*p->at)
        return attn_fail(p->error, "\"%.80s\": ends early, expected %s", p->text, expected);
    return attn_fail(p->error, "\"%.80s\": found \"%.10s\", expected %s", p->text, p->at, expected);
}

/* The next character when it is one of `any`, else 0. */
static char take(parser *p, const char *any) {
    skip_space(p);
    if (!*p->at || !strchr(any, *p->at))
        return 0;
    return *p->at++;
}

static int read_number(parser *p, double *value) {
    size_t digits = strspn(p->at, "0123456789.");
    char copy[32], *end;
    if (digits >= sizeof copy)
        return unexpected(p, "a shorter number");
    memcpy(copy, p->at, digits);
    copy[digits] = '\0';
    *value = strtod(copy, &end);
    if (*end || end == copy)
        return unexpected(p, "a number");
    p->at += digits;
    return 0;
}

static int read_name(parser *p, double *value) {
    char name[FORMULA_NAME_MAX];
    size_t length = 0;
    while (isalnum((unsigned char)p->at[length]) || p->at[length] == '_')
        length++;
    if (length >= sizeof name)
        return unexpected(p, "a shorter name");
    memcpy(name, p->at, length);
    name[length] = '\0';
    *value = 1;
    if (p->lookup(p->context, name, value, p->error))
        return -1;
    p->at += length;
    return 0;
}

static int read_sum(parser *p, double *value);

static int read_factor(parser *p, double *value) {
    int result;
    if (++p->depth > DEPTH_MAX)
        return unexpected(p, "fewer brackets and signs");
    if (take(p, "-")) {
        result = read_factor(p, value);
        *value = -*value;
    } else if (take(p, "(")) {
        result = read_sum(p, value);
        if (!result && !take(p, ")"))
            result = unexpected(p, "\")\"");
    } else if (isdigit((unsigned char)*p->at) || *p->at == '.') {
        result = read_number(p, value);
    } else if (isalpha((unsigned char)*p->at) || *p->at == '_') {
        result = read_name(p, value);
    } else {
        result = unexpected(p, "a number, a name or \"(\"");
    }
    p->depth--;
    return result;
}

static int read_product(parser *p, double *value) {
    char sign;
    if (read_factor(p, value))
        return -1;
    while ((sign = take(p, "*/"))) {
        double right;
        if (read_factor(p, &right))
            return -1;
        if (sign == '/' && right == 0 && !p->check)
            return attn_fail(p->error, "\"%.80s\": divides by 0", p->text);
        *value = sign == '*' ? *value * right : *value / right;
    }
    return 0;
}

static int read_sum(parser *p, double *value) {
    char sign;
    if (read_product(p, value))
        return -1;
    while ((sign = take(p, "+-"))) {
        double right;
        if (read_product(p, &right))
            return -1;
        *value += sign == '+' ? right : -right;
    }
    return 0;
}

static int run(parser *p, double *value) {
    *value = 0;
    if (read_sum(p, value))
        return -1;
    skip_space(p);
    if (*p->at)
        return unexpected(p, "+ - * / or the end");
    return p->check || isfinite(*value) ? 0 : attn_fail(p->error, "\"%.80s\": too large a number", p->text);
}

int formula_evaluate(double *value, const char *text, formula_lookup *lookup, void *context,
                     attn_error *error) {
    parser p = {.text = text, .at = text, .lookup = lookup, .context = context, .error = error};
    return run(&p, value);
}

int formula_check(const char *text, formula_lookup *lookup, void *context, attn_error *error) {
    double value;
    parser p = {
        .text = text, .at = text, .lookup = lookup, .context = context, .check = true, .error = error};
    return run(&p, &value);
}
