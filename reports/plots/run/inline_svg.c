#include "reports/plots/run/inline_svg.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/page/template/mustache.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/run/svg_slim.h"

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
    {"rgb(0,0,0)", "currentColor"},
    {" font-family=\"sans-serif\"", ""},
    {" fill=\"#ffffff\"/>", " fill=\"none\"/>"},
};
enum { RULES = sizeof rules / sizeof *rules };

/* "#1f5fbf" in gnuplot's two ways to write it: of lines and of text. */
static const char *replace_colour(FILE *out, const char *at) {
    for (const figure_paint *p = figure_paints; p->colour; p++) {
        unsigned long rgb = strtoul(p->colour + 1, NULL, 16), red = rgb >> 16, green = rgb >> 8 & 255,
                      blue = rgb & 255;
        char of_lines[24], of_text[24];
        int lines = snprintf(of_lines, sizeof of_lines, "rgb(%3lu, %3lu, %3lu)", red, green, blue);
        int text = snprintf(of_text, sizeof of_text, "rgb(%lu,%lu,%lu)", red, green, blue);
        int length = !strncmp(at, of_lines, (size_t)lines) ? lines
                     : !strncmp(at, of_text, (size_t)text) ? text
                                                           : 0;
        if (length) {
            fprintf(out, "var(%s)", p->variable);
            return at + length;
        }
    }
    return NULL;
}

static const char *replace(FILE *out, const char *at, const char *name) {
    const char *after = *at == 'r' ? replace_colour(out, at) : NULL;
    if (after)
        return after;
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

/* The text of a point; its lines stay lines. */
static void write_text(FILE *out, const char *text) {
    char line[400];
    while (*text) {
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        mustache_escape(out, line);
        text += length;
        if (*text++)
            fputs("&#10;", out);
        else
            break;
    }
}

static void write_marks(FILE *out, const json_t *marks) {
    size_t i;
    json_t *mark;
    if (!json_array_size(marks))
        return;
    fputs("<g class=\"marks\">", out);
    json_array_foreach(marks, i, mark) {
        fprintf(out, "<circle cx=\"%d\" cy=\"%d\" r=\"9\"><title>",
                (int)json_integer_value(json_object_get(mark, "x")),
                (int)json_integer_value(json_object_get(mark, "y")));
        write_text(out, json_string_value(json_object_get(mark, "text")));
        fputs("</title></circle>", out);
    }
    fputs("</g>", out);
}

/* attn_free what it returns. */
static char *slim_body(const char *svg, const char *name, attn_error *error) {
    char *text = NULL, *copy = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out)
        svg_slim(out, after_head(svg), strstr(svg, "</svg>"));
    if (out && !fclose(out))
        copy = attn_strdup(text, error);
    else
        attn_no_memory(error, name);
    free(text);
    return copy;
}

static char *rewrite(const char *svg, const char *name, const json_t *marks, attn_error *error) {
    char *text = NULL, *copy = NULL;
    size_t size;
    const char *box = strstr(svg, "viewBox=\""), *end = box ? strchr(box + 9, '"') : NULL;
    if (!end || !is_whole(svg)) {
        attn_fail(error, "%s.page.svg: not what gnuplot writes", name);
        return NULL;
    }
    char *body = slim_body(svg, name, error);
    FILE *out = body ? open_memstream(&text, &size) : NULL;
    if (!out) {
        attn_free(body);
        attn_no_memory(error, name);
        return NULL;
    }
    fprintf(out, "<svg %.*s\" role=\"img\" aria-labelledby=\"%s-title\" aria-describedby=\"%s-about\">",
            (int)(end - box), box, name, name);
    for (const char *at = body; *at;)
        at = replace(out, at, name);
    attn_free(body);
    write_marks(out, marks);
    fputs("</svg>", out);
    if (!fclose(out))
        copy = attn_strdup(text, error);
    else
        attn_no_memory(error, name);
    free(text);
    return copy;
}

char *inline_svg(const char *folder, const char *name, const json_t *marks, attn_error *error) {
    char *path = attn_format(error, "%s/%s.page.svg", folder, name);
    char *svg = path ? attn_read_file(path, SVG_LIMIT, NULL, error) : NULL;
    char *text = svg ? rewrite(svg, name, marks, error) : NULL;
    attn_free(svg);
    attn_free(path);
    return text;
}
