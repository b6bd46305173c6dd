#include "reports/plots/run/svg_slim.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MARKERS = 64 };

static bool starts(const char *at, const char *word) {
    return !strncmp(at, word, strlen(word));
}

static const char *find(const char *at, const char *end, const char *word) {
    const char *found = strstr(at, word);
    return found && found < end ? found : NULL;
}

static const char *after_space(const char *at) {
    return at + strspn(at, " \t\r\n");
}

/* ---- markers */

typedef struct marker {
    const char *start, *end; /* its element */
    long base;               /* the marker that it is made of, or -1 */
    bool used;
} marker;

static long number_after(const char *at, const char *end, const char *word) {
    const char *found = find(at, end, word);
    return found ? strtol(found + strlen(word), NULL, 10) : -1;
}

/* The elements of <defs>, which gnuplot writes a line each; those without a number have start NULL. */
static void list_markers(marker of[MARKERS], const char *defs, const char *end) {
    for (const char *line = defs, *next; line < end; line = next) {
        next = strchr(line, '\n');
        next = next && next < end ? next + 1 : end;
        long number = number_after(line, next, "id='gpPt");
        if (number >= 0 && number < MARKERS)
            of[number] = (marker){after_space(line), next, number_after(line, next, "href='#gpPt"), false};
    }
}

static void mark_used(marker of[MARKERS], const char *at, const char *end) {
    static const char word[] = "href='#gpPt";
    for (; (at = find(at, end, word)); at++) {
        long number = strtol(at + strlen(word), NULL, 10);
        for (int depth = 0; number >= 0 && number < MARKERS && depth < MARKERS; depth++) {
            of[number].used = true;
            number = of[number].base;
        }
    }
}

static const char *dot_of(const char *defs, const char *end) {
    const char *dot = find(defs, end, "<circle id='gpDot'");
    return dot && find(end, end + strlen(end), "#gpDot") ? dot : NULL;
}

/* ---- the rest */

/* Past a group at `at` that has nothing in it, or NULL. */
static const char *after_empty_group(const char *at) {
    const char *close = starts(at, "<g") ? strchr(at, '>') : NULL;
    const char *inside = close ? after_space(close + 1) : NULL;
    return inside && starts(inside, "</g>") ? inside + strlen("</g>") : NULL;
}

static const struct {
    const char *from, *to;
} shorter[] = {
    {" stroke-linecap=\"butt\"", ""}, {" stroke-linejoin=\"miter\"", ""},
    {" stroke-width=\"1.00\"", ""},   {" class=\"gridline\"", ""},
    {"<tspan >", "<tspan>"},
};

/* "12.40" as 12.4, "3.00" as 3. */
static const char *write_number(FILE *out, const char *at) {
    const char *digits = at + strspn(at, "0123456789"), *last = digits;
    if (*digits == '.') {
        last = digits + 1 + strspn(digits + 1, "0123456789");
        const char *kept = last;
        while (kept[-1] == '0')
            kept--;
        kept -= kept[-1] == '.';
        fwrite(at, 1, (size_t)(kept - at), out);
    } else {
        fwrite(at, 1, (size_t)(digits - at), out);
    }
    return last;
}

/* Spaces within a tag stay as they are: inline_svg.c finds gnuplot's colours, "rgb( 31, 95,191)", by them. */
static const char *write_space(FILE *out, const char *at, bool in_tag) {
    const char *after = after_space(at), *line = strpbrk(at, "\t\r\n");
    bool needed = in_tag ? !strchr("'\"/>", *after) : *after != '<';
    if (in_tag && needed && (!line || line >= after))
        fwrite(at, 1, (size_t)(after - at), out);
    else if (needed)
        fputc(' ', out);
    return after;
}

static const char *write_short(FILE *out, const char *at) {
    for (size_t i = 0; i < sizeof shorter / sizeof *shorter; i++)
        if (starts(at, shorter[i].from)) {
            fputs(shorter[i].to, out);
            return at + strlen(shorter[i].from);
        }
    return NULL;
}

static void write_drawn(FILE *out, const char *at, const char *end) {
    bool in_tag = false, in_text = false;
    while (at < end) {
        const char *after = *at == '<' ? after_empty_group(at) : NULL;
        if (!after && *at != '>')
            after = write_short(out, at);
        if (!after && isspace((unsigned char)*at) && !in_text)
            after = write_space(out, at, in_tag);
        if (!after && in_tag && isdigit((unsigned char)*at))
            after = write_number(out, at);
        if (after) {
            at = after;
            continue;
        }
        if (*at == '<') {
            in_tag = true;
            in_text = starts(at, "<text") || (in_text && !starts(at, "</text"));
        }
        in_tag &= *at != '>';
        fputc(*at++, out);
    }
}

void svg_slim(FILE *out, const char *at, const char *end) {
    static const char open[] = "<defs>", close[] = "</defs>";
    marker of[MARKERS] = {0};
    const char *defs = find(at, end, open), *drawn = defs ? find(defs, end, close) : NULL;
    if (!drawn) {
        write_drawn(out, at, end);
        return;
    }
    list_markers(of, defs, drawn);
    mark_used(of, drawn, end);
    write_drawn(out, at, defs);
    fputs(open, out);
    const char *dot = dot_of(defs, drawn);
    if (dot)
        write_drawn(out, dot, strchr(dot, '\n'));
    for (int i = 0; i < MARKERS; i++)
        if (of[i].used && of[i].start)
            write_drawn(out, of[i].start, of[i].end);
    write_drawn(out, drawn, end);
}
