#include "base/text/table_write.h"

#include "base/text/json.h"
#include "base/text/json_write.h"
#include "base/text/table_tex.h"

#include "attn/alloc.h"

static int write_head_md(const text_table *t, FILE *stream, attn_error *error) {
    char *title = t->title ? table_escape(t->title, TABLE_MD, error) : NULL;
    if (t->title && !title)
        return -1;
    if (title)
        fprintf(stream, "### %s\n\n", title);
    attn_free(title);
    for (size_t i = 0; t->columns[i].key; i++) {
        char *header = table_header_text(t, i, TABLE_MD, error);
        if (!header)
            return -1;
        fprintf(stream, "| %s ", header);
        attn_free(header);
    }
    fputs("|\n", stream);
    for (size_t i = 0; t->columns[i].key; i++)
        fputs(table_is_numeric(t, i) ? "|---:" : "|---", stream);
    fputs("|\n", stream);
    return 0;
}

static void write_head_csv(const text_table *t, FILE *stream) {
    for (size_t i = 0; t->columns[i].key; i++)
        fprintf(stream, "%s%s", i ? "," : "", t->columns[i].key);
    fputs("\r\n", stream);
}

static int write_row(const text_table *t, size_t row, table_format format, FILE *stream, attn_error *error) {
    for (size_t i = 0; t->columns[i].key; i++) {
        char *text = table_cell_text(t, row, i, format, error);
        if (!text)
            return -1;
        const char *before = format == TABLE_MD ? "| " : i ? "," : "";
        fprintf(stream, "%s%s%s", before, text, format == TABLE_MD ? " " : "");
        attn_free(text);
    }
    fputs(format == TABLE_MD ? "|\n" : "\r\n", stream);
    return 0;
}

int table_write(const text_table *t, table_format format, FILE *stream, attn_error *error) {
    if (!t->rows)
        return json_not_made(error, t->title ? t->title : "table", "text");
    if (format == TABLE_JSON)
        return json_print(t->rows, JSON_INDENT(2), "table", stream, error);
    if (format == TABLE_TEX)
        return table_write_tex(t, stream, error);
    if (format == TABLE_CSV)
        write_head_csv(t, stream);
    else if (write_head_md(t, stream, error))
        return -1;
    for (size_t i = 0; i < json_array_size(t->rows); i++)
        if (write_row(t, i, format, stream, error))
            return -1;
    return ferror(stream) ? attn_fail(error, "table cannot be written") : 0;
}
