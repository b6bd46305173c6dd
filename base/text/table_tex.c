#include "base/text/table_tex.h"

#include "attn/alloc.h"

#include <stdbool.h>
#include <string.h>

enum {
    PAGE = 100,         /* characters of \\footnotesize that stand side by side on A4 */
    SMALLER_PAGE = 107, /* characters of \\scriptsize */
    GAP = 2,            /* characters between two columns */
    NARROWEST = 11,     /* characters of a column whose text breaks its lines */
    HEADER = 11,        /* characters of a line of a header */
    PAGE_ROWS = 45
};

typedef struct layout {
    size_t natural, least, width; /* characters: of its longest cell, that it needs, that it gets */
    bool is_numeric;
} layout;

/* The end of the header's next line: words up to HEADER characters, at least one. */
static size_t header_line(const char *text) {
    size_t end = strcspn(text, " ");
    while (text[end]) {
        size_t next = end + 1 + strcspn(text + end + 1, " ");
        if (next > HEADER)
            break;
        end = next;
    }
    return end;
}

static size_t header_width(const char *text) {
    size_t most = 0;
    for (size_t line; *text; text += line + (text[line] == ' ')) {
        line = header_line(text);
        most = line > most ? line : most;
    }
    return most;
}

/* The longest piece that no line can break in. */
static size_t longest_word(const char *text) {
    size_t most = 0;
    for (size_t word; *text; text += word + (text[word] != '\0')) {
        word = strcspn(text, " /-");
        most = word > most ? word : most;
    }
    return most;
}

static int measure(layout *l, const table *t, size_t column, attn_error *error) {
    size_t header = header_width(t->columns[column].header);
    *l = (layout){.natural = header, .least = header, .is_numeric = table_is_numeric(t, column)};
    for (size_t row = 0; row < json_array_size(t->rows); row++) {
        char *text = table_cell_text(t, row, column, TABLE_JSON, error);
        if (!text)
            return -1;
        size_t length = strlen(text), word = l->is_numeric ? length : 1 + longest_word(text);
        l->natural = length > l->natural ? length : l->natural;
        l->least = word > l->least ? word : l->least;
        attn_free(text);
    }
    l->least = l->least < NARROWEST ? NARROWEST : l->least;
    return 0;
}

/* Gives all columns a width: as long as the table is wider than the page, the widest column of text gets narrower. Returns
 * whether the table fits. */
static bool fit(layout *l, size_t count, size_t page) {
    size_t width = 0;
    for (size_t i = 0; i < count; i++) {
        l[i].width = l[i].natural;
        width += GAP + l[i].width;
    }
    for (; width > page; width--) {
        layout *widest = NULL;
        for (size_t i = 0; i < count; i++)
            if (!l[i].is_numeric && l[i].width > l[i].least && (!widest || l[i].width > widest->width))
                widest = &l[i];
        if (!widest)
            return false;
        widest->width--;
    }
    return true;
}

static bool is_long(const layout *l) {
    return l->width < l->natural;
}

static void write_columns(const layout *l, size_t count, FILE *stream) {
    for (size_t i = 0; i < count; i++)
        if (is_long(&l[i]))
            fprintf(stream, "p{%.1fem}", 0.5 * (double)l[i].width);
        else
            fputc(l[i].is_numeric ? 'r' : 'l', stream);
}

static int write_header(const table *t, size_t column, const layout *l, FILE *stream, attn_error *error) {
    char *text = table_header_text(t, column, TABLE_TEX, error);
    if (!text)
        return -1;
    fprintf(stream, "%s\\shortstack[%c]{", column ? " & " : "", l->is_numeric ? 'r' : 'l');
    for (const char *at = text; *at;) {
        size_t line = header_line(at);
        fprintf(stream, "%s%.*s", at == text ? "" : "\\\\", (int)line, at);
        at += line + (at[line] == ' ');
    }
    fputc('}', stream);
    attn_free(text);
    return 0;
}

/* Names of cases have no spaces to break at. */
static void write_long(const char *text, FILE *stream) {
    fputs("\\raggedright ", stream);
    for (; *text; text++) {
        fputc(*text, stream);
        if (*text == '/')
            fputs("\\allowbreak{}", stream);
    }
}

static int write_row(const table *t, size_t row, const layout *l, size_t count, FILE *stream,
                     attn_error *error) {
    for (size_t i = 0; i < count; i++) {
        char *text = table_cell_text(t, row, i, TABLE_TEX, error);
        if (!text)
            return -1;
        /* At the beginning of a row a bracket or star would belong to the end of the row before. */
        const char *before = i ? " & " : strchr("[*", *text) ? "{}" : "";
        fputs(before, stream);
        if (is_long(&l[i]))
            write_long(text, stream);
        else
            fputs(text, stream);
        attn_free(text);
    }
    /* In such a cell two backslashes end a line, and not the row. */
    fputs(count && is_long(&l[count - 1]) ? " \\tabularnewline\n" : " \\\\\n", stream);
    return 0;
}

static int write_all(const table *t, layout *l, size_t count, FILE *stream, attn_error *error) {
    const char *size = "footnotesize";
    if (!fit(l, count, PAGE)) {
        size = "scriptsize";
        fit(l, count, SMALLER_PAGE);
    }
    bool many = json_array_size(t->rows) > PAGE_ROWS;
    const char *kind = many ? "longtable" : "tabular";
    if (t->title)
        fprintf(stream, "%% %.*s\n", (int)strcspn(t->title, "\r\n"), t->title);
    if (many)
        fputs("% needs \\usepackage{longtable}\n", stream);
    fprintf(stream, "{\\%s\\setlength{\\tabcolsep}{3pt}%%\n\\begin{%s}{", size, kind);
    write_columns(l, count, stream);
    fputs("}\n\\hline\\noalign{\\smallskip}\n", stream);
    for (size_t i = 0; i < count; i++)
        if (write_header(t, i, &l[i], stream, error))
            return -1;
    fprintf(stream, " \\\\\n\\hline\\noalign{\\smallskip}\n%s", many ? "\\endhead\n" : "");
    for (size_t row = 0; row < json_array_size(t->rows); row++)
        if (write_row(t, row, l, count, stream, error))
            return -1;
    fprintf(stream, "\\hline\\noalign{\\smallskip}\n\\end{%s}}\n", kind);
    return ferror(stream) ? attn_fail(error, "table cannot be written") : 0;
}

int table_write_tex(const table *t, FILE *stream, attn_error *error) {
    size_t count = 0;
    while (t->columns[count].key)
        count++;
    layout *l = attn_alloc(count + 1, sizeof *l, "columns of a table", error);
    int result = l ? 0 : -1;
    for (size_t i = 0; !result && i < count; i++)
        result = measure(&l[i], t, i, error);
    if (!result)
        result = write_all(t, l, count, stream, error);
    attn_free(l);
    return result;
}
