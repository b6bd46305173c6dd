#include "base/text/table_tex.h"

#include "attn/alloc.h"

#include <stdbool.h>
#include <string.h>

enum {
    PAGE = 104,     /* characters of \\footnotesize that stand side by side on A4 */
    GAP = 2,        /* of them between two columns */
    LONG_TEXT = 34, /* from here on a column breaks its lines */
    NARROWEST = 14, /* what such a column has at least */
    HEADER = 11,    /* where headers break */
    PAGE_ROWS = 45
};

typedef struct layout {
    size_t width; /* characters */
    bool is_long, is_numeric;
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

static int measure(layout *l, const table *t, size_t column, attn_error *error) {
    *l = (layout){.width = header_width(t->columns[column].header), .is_numeric = table_is_numeric(t, column)};
    for (size_t row = 0; row < json_array_size(t->rows); row++) {
        char *text = table_cell_text(t, row, column, TABLE_JSON, error);
        if (!text)
            return -1;
        size_t length = strlen(text);
        l->width = length > l->width ? length : l->width;
        attn_free(text);
    }
    l->is_long = !l->is_numeric && l->width > LONG_TEXT;
    return 0;
}

/* What the others leave of the page goes to columns of long text, in equal parts. */
static void share_page(layout *l, size_t count) {
    size_t taken = 0, longs = 0;
    for (size_t i = 0; i < count; i++) {
        taken += GAP + (l[i].is_long ? 0 : l[i].width);
        longs += l[i].is_long;
    }
    size_t part = longs && taken < PAGE ? (PAGE - taken) / longs : 0;
    for (size_t i = 0; i < count; i++)
        if (l[i].is_long)
            l[i].width = part > NARROWEST ? part : NARROWEST;
}

static void write_columns(const layout *l, size_t count, FILE *stream) {
    for (size_t i = 0; i < count; i++)
        if (l[i].is_long)
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

static int write_row(const table *t, size_t row, const layout *l, size_t count, FILE *stream,
                     attn_error *error) {
    for (size_t i = 0; i < count; i++) {
        char *text = table_cell_text(t, row, i, TABLE_TEX, error);
        if (!text)
            return -1;
        /* At the beginning of a row a bracket or star would belong to the end of the row before. */
        const char *before = i ? " & " : strchr("[*", *text) ? "{}" : "";
        fprintf(stream, "%s%s%s", before, l[i].is_long ? "\\raggedright " : "", text);
        attn_free(text);
    }
    /* \\raggedright makes something else of two backslashes. */
    fputs(count && l[count - 1].is_long ? " \\tabularnewline\n" : " \\\\\n", stream);
    return 0;
}

static int write_all(const table *t, const layout *l, size_t count, FILE *stream, attn_error *error) {
    bool is_long = json_array_size(t->rows) > PAGE_ROWS;
    const char *kind = is_long ? "longtable" : "tabular";
    if (t->title)
        fprintf(stream, "%% %.*s\n", (int)strcspn(t->title, "\r\n"), t->title);
    if (is_long)
        fputs("% needs \\usepackage{longtable}\n", stream);
    fprintf(stream, "{\\footnotesize\\setlength{\\tabcolsep}{3pt}%%\n\\begin{%s}{", kind);
    write_columns(l, count, stream);
    fputs("}\n\\hline\n", stream);
    for (size_t i = 0; i < count; i++)
        if (write_header(t, i, &l[i], stream, error))
            return -1;
    fprintf(stream, " \\\\\n\\hline\n%s", is_long ? "\\endhead\n" : "");
    for (size_t row = 0; row < json_array_size(t->rows); row++)
        if (write_row(t, row, l, count, stream, error))
            return -1;
    fprintf(stream, "\\hline\n\\end{%s}}\n", kind);
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
    if (!result) {
        share_page(l, count);
        result = write_all(t, l, count, stream, error);
    }
    attn_free(l);
    return result;
}
