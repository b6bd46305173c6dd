#include "reports/page/html.h"

#include "attn/alloc.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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

enum { LONG_TEXT = 48 }; /* beyond this a cell may break its lines */

typedef struct look {
    bool empty, numeric;
} look;

/* Numeric: has numbers, and nothing else. */
static look look_of(const table *t, size_t column) {
    look l = {true, true};
    size_t i;
    json_t *row;
    json_array_foreach(t->rows, i, row) {
        const json_t *value = json_object_get(row, t->columns[column].key);
        if (!value || json_is_null(value))
            continue;
        l.empty = false;
        l.numeric &= json_is_number(value);
    }
    return l;
}

static int write_cell(FILE *out, const table *t, size_t row, size_t column, bool numeric, attn_error *error) {
    char *text = table_cell_text(t, row, column, TABLE_JSON, error); /* as shown, not escaped */
    if (!text)
        return -1;
    const char *wide = strlen(text) > LONG_TEXT ? "<td class=long>" : "<td>";
    fputs(numeric ? "<td class=n>" : wide, out);
    html_text(out, text);
    fputs("</td>", out);
    attn_free(text);
    return 0;
}

static int write_rows(FILE *out, const table *t, const look *looks, attn_error *error) {
    for (size_t row = 0; row < json_array_size(t->rows); row++) {
        fputs("<tr>", out);
        for (size_t i = 0; t->columns[i].key; i++)
            if (!looks[i].empty && write_cell(out, t, row, i, looks[i].numeric, error))
                return -1;
        fputs("</tr>\n", out);
    }
    return 0;
}

int html_table(FILE *out, const table *t, attn_error *error) {
    size_t columns = 0;
    while (t->columns[columns].key)
        columns++;
    look *looks = attn_alloc(columns, sizeof *looks, "columns", error);
    if (!looks)
        return -1;
    fputs("<div class=scroll tabindex=0><table><thead><tr>", out);
    for (size_t i = 0; i < columns; i++) {
        looks[i] = look_of(t, i);
        if (looks[i].empty)
            continue;
        fputs(looks[i].numeric ? "<th class=n>" : "<th>", out);
        html_text(out, t->columns[i].header);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>\n", out);
    int result = write_rows(out, t, looks, error);
    fputs("</tbody></table></div>\n", out);
    attn_free(looks);
    return result;
}

enum { FOLDED = 30 }; /* rows */

int html_folded_table(FILE *out, const table *t, attn_error *error) {
    size_t rows = json_array_size(t->rows);
    if (rows < FOLDED)
        return html_table(out, t, error);
    fputs("<details><summary>", out);
    html_printf(out, "%s: all %zu rows", t->title ? t->title : "Table", rows);
    fputs("</summary>\n", out);
    int result = html_table(out, t, error);
    fputs("</details>\n", out);
    return result;
}
