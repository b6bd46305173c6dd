#include "reports/html.h"

#include "attn/alloc.h"

#include <stdarg.h>
#include <stdlib.h>

void html_text(FILE *out, const char *text) {
    for (const char *c = text; *c; c++)
        switch (*c) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            if ((unsigned char)*c >= ' ' && *c != 0x7f)
                fputc(*c, out);
        }
}

void html_printf(FILE *out, const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) >= 0)
        html_text(out, text);
    va_end(arguments);
    free(text);
}

static int write_cell(FILE *out, const table *t, size_t row, size_t column, attn_error *error) {
    const json_t *value = json_object_get(json_array_get(t->rows, row), t->columns[column].key);
    char *text = table_cell_text(t, row, column, TABLE_JSON, error); /* as shown, not escaped */
    if (!text)
        return -1;
    fputs(json_is_number(value) ? "<td class=n>" : "<td>", out);
    html_text(out, text);
    fputs("</td>", out);
    attn_free(text);
    return 0;
}

static int is_numeric(const table *t, size_t column) {
    size_t i;
    json_t *row;
    json_array_foreach(t->rows, i, row) {
        if (json_is_number(json_object_get(row, t->columns[column].key)))
            return 1;
    }
    return 0;
}

int html_table(FILE *out, const table *t, attn_error *error) {
    fputs("<div class=scroll tabindex=0><table><thead><tr>", out);
    for (size_t i = 0; t->columns[i].key; i++) {
        fputs(is_numeric(t, i) ? "<th class=n>" : "<th>", out);
        html_text(out, t->columns[i].header);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>\n", out);
    for (size_t row = 0; row < json_array_size(t->rows); row++) {
        fputs("<tr>", out);
        for (size_t i = 0; t->columns[i].key; i++)
            if (write_cell(out, t, row, i, error))
                return -1;
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    return 0;
}
