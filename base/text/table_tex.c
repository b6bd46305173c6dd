#include "base/text/table_tex.h"

#include "attn/alloc.h"
#include "base/text/tex_layout.h"

#include <string.h>

/* The first column that is shown. */
static size_t first_column(const tex_layout *l) {
    size_t first = 0;
    while (first < l->count && l->columns[first].is_left_out)
        first++;
    return first;
}

static void write_columns(const tex_layout *l, FILE *stream) {
    for (size_t i = 0; i < l->count; i++) {
        const tex_column *c = &l->columns[i];
        if (c->is_left_out)
            continue;
        if (tex_column_breaks(c))
            fprintf(stream, "p{%.2fem}", c->width);
        else
            fputc(c->is_numeric ? 'r' : 'l', stream);
    }
}

static int write_escaped(const char *text, size_t length, FILE *stream, attn_error *error) {
    char *piece = attn_format(error, "%.*s", (int)length, text);
    char *escaped = piece ? table_escape(piece, TABLE_TEX, error) : NULL;
    if (escaped)
        fputs(escaped, stream);
    attn_free(piece);
    attn_free(escaped);
    return escaped ? 0 : -1;
}

static int write_header(const char *text, const tex_column *c, FILE *stream, attn_error *error) {
    fprintf(stream, "\\shortstack[%c]{", c->is_numeric ? 'r' : 'l');
    for (const char *at = text; *at;) {
        size_t line = tex_header_line(at, c->header_letters);
        fputs(at == text ? "" : "\\\\", stream);
        if (write_escaped(at, line, stream, error))
            return -1;
        at += line + (at[line] == ' ');
    }
    fputc('}', stream);
    return 0;
}

static int write_headers(const tex_layout *l, const text_table *t, FILE *stream, attn_error *error) {
    for (size_t i = first_column(l), first = i; i < l->count; i++) {
        if (l->columns[i].is_left_out)
            continue;
        fputs(i == first ? "" : " & ", stream);
        if (write_header(t->columns[i].header, &l->columns[i], stream, error))
            return -1;
    }
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

static int write_row(const tex_layout *l, const text_table *t, size_t row, FILE *stream, attn_error *error) {
    bool last_breaks = false;
    for (size_t i = first_column(l), first = i; i < l->count; i++) {
        if (l->columns[i].is_left_out)
            continue;
        char *text = table_cell_text(t, row, i, TABLE_TEX, error);
        if (!text)
            return -1;
        /* At the beginning of a row a bracket or star would belong to the end of the row before. */
        fputs(i != first ? " & " : strchr("[*", *text) ? "{}" : "", stream);
        last_breaks = tex_column_breaks(&l->columns[i]);
        if (last_breaks)
            write_long(text, stream);
        else
            fputs(text, stream);
        attn_free(text);
    }
    /* In such a cell two backslashes end a line, and not the row. */
    fputs(last_breaks ? " \\tabularnewline\n" : " \\\\\n", stream);
    return 0;
}

/* What columns that were left out hold in every row; those that are empty are not worth a word. */
static int write_left_out(const tex_layout *l, const text_table *t, FILE *stream, attn_error *error) {
    const char *before = "\\par In every row: ";
    for (size_t i = 0; i < l->count; i++) {
        if (!l->columns[i].is_left_out)
            continue;
        char *header = table_header_text(t, i, TABLE_TEX, error);
        char *text = table_cell_text(t, 0, i, TABLE_TEX, error);
        bool good = header && text;
        if (good && strcmp(text, "---")) {
            fprintf(stream, "%s%s %s", before, header, text);
            before = "; ";
        }
        attn_free(header);
        attn_free(text);
        if (!good)
            return -1;
    }
    fputs(*before == ';' ? ".\\par\n" : "", stream);
    return 0;
}

static int write_all(const tex_layout *l, const text_table *t, FILE *stream, attn_error *error) {
    const char *kind = l->is_long ? "longtable" : "tabular";
    if (t->title)
        fprintf(stream, "%% %.*s\n", (int)strcspn(t->title, "\r\n"), t->title);
    if (l->is_long)
        fputs("% needs \\usepackage{longtable}\n", stream);
    if (l->landscape)
        fputs("% needs \\usepackage{pdflscape}\n\\begin{landscape}", stream);
    fprintf(stream, "{\\%s\\setlength{\\tabcolsep}{3pt}%%\n\\begin{%s}{", l->size, kind);
    write_columns(l, stream);
    fputs("}\n\\hline\\noalign{\\smallskip}\n", stream);
    if (write_headers(l, t, stream, error))
        return -1;
    fprintf(stream, " \\\\\n\\hline\\noalign{\\smallskip}\n%s", l->is_long ? "\\endhead\n" : "");
    for (size_t row = 0; row < json_array_size(t->rows); row++)
        if (write_row(l, t, row, stream, error))
            return -1;
    fprintf(stream, "\\hline\\noalign{\\smallskip}\n\\end{%s}%%\n", kind);
    if (write_left_out(l, t, stream, error))
        return -1;
    fprintf(stream, "}%s\n", l->landscape ? "\\end{landscape}" : "");
    return ferror(stream) ? attn_fail(error, "table cannot be written") : 0;
}

int table_write_tex(const text_table *t, FILE *stream, attn_error *error) {
    tex_layout l;
    int result = tex_layout_make(&l, t, error) || write_all(&l, t, stream, error) ? -1 : 0;
    tex_layout_free(&l);
    return result;
}
