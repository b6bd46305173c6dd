#include "reports/plots/inline_svg.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t SVG_LIMIT = (size_t)64 << 20;

/* "@" in a replacement stands for the picture's name. */
static const struct {
    const char *from, *to;
} rules[] = {
    {" xmlns=\"http://www.w3.org/2000/svg\"", ""},
    {" xmlns:xlink=\"http://www.w3.org/1999/xlink\"", ""},
    {"xlink:href='#", "href='#@_"},
    {" id=\"gnuplot_canvas\"", ""},
    {" id='", " id='@_"},
    {" color=\"black\"", ""},
    {"\"black\"", "\"currentColor\""},
    {"'black'", "'currentColor'"},
    {" font-family=\"sans-serif\"", ""},
    {" fill=\"#ffffff\"/>", " fill=\"none\"/>"},
};
enum { RULES = sizeof rules / sizeof *rules };

static const char *replace(FILE *out, const char *at, const char *name) {
    for (size_t i = 0; i < RULES; i++) {
        size_t length = strlen(rules[i].from);
        if (strncmp(at, rules[i].from, length))
            continue;
        for (const char *c = rules[i].to; *c; c++)
            if (*c == '@')
                fputs(name, out);
            else
                fputc(*c, out);
        return at + length;
    }
    fputc(*at, out);
    return at + 1;
}

/* Past gnuplot's own title and description: the page says better what it is. */
static const char *after_head(const char *svg) {
    const char *end = strstr(svg, "</desc>");
    return end ? end + strlen("</desc>") : svg;
}

/* Text of one picture, to its end. */
static bool is_whole(const char *svg) {
    const char *start = strstr(svg, "<svg"), *end = start ? strstr(start, "</svg>") : NULL;
    json_t *text = json_string(svg); /* NULL: not UTF-8 */
    json_decref(text);
    return text && end && !end[strlen("</svg>") + strspn(end + strlen("</svg>"), " \r\n")];
}

static char *rewrite(const char *svg, const char *name, attn_error *error) {
    char *text = NULL, *copy = NULL;
    size_t size;
    const char *box = strstr(svg, "viewBox=\""), *end = box ? strchr(box + 9, '"') : NULL;
    if (!end || !is_whole(svg)) {
        attn_fail(error, "%s.svg: not what gnuplot writes", name);
        return NULL;
    }
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        attn_no_memory(error, name);
        return NULL;
    }
    fprintf(out, "<svg %.*s\" role=\"img\" aria-label=\"%s\">", (int)(end - box), box, name);
    for (const char *at = after_head(svg); *at;)
        at = replace(out, at, name);
    if (!fclose(out))
        copy = attn_strdup(text, error);
    else
        attn_no_memory(error, name);
    free(text);
    return copy;
}

char *inline_svg(const char *folder, const char *name, attn_error *error) {
    char *path = attn_format(error, "%s/%s.svg", folder, name);
    char *svg = path ? attn_read_file(path, SVG_LIMIT, NULL, error) : NULL;
    char *text = svg ? rewrite(svg, name, error) : NULL;
    attn_free(svg);
    attn_free(path);
    return text;
}
