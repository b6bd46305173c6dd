/* Tables for people and programs: rows are JSON objects, columns say how to show them. */
#ifndef BASE_TEXT_TABLE_H
#define BASE_TEXT_TABLE_H

#include "attn/error.h"

#include <jansson.h>
#include <stdio.h>

typedef enum table_format { TABLE_MD, TABLE_CSV, TABLE_JSON, TABLE_TEX } table_format;
extern const char *const table_format_names[]; /* "md", "csv", "json", "tex", NULL */

typedef struct table_column {
    const char *key;    /* of the row objects */
    const char *header; /* in md and tex; csv uses the key */
    const char *format; /* of printf, for one double; table_mib; NULL: text, or the shortest exact number */
} table_column;

/* A format for numbers of bytes: shown in MiB, and as bytes in csv and json. */
extern const char table_mib[];

typedef struct text_table {
    const char *title;
    const table_column *columns; /* ended by a NULL key */
    json_t *rows; /* array of objects; what is missing or null shows as an em dash, "" in csv */
} text_table;

/* Memory failure is reported by table_write (table_write.h), so that rows can be added without a check each. */
void table_init(text_table *t, const char *title, const table_column *columns);
/* Takes the row (made with json_pack); NULL marks the table as failed. */
void table_add(text_table *t, json_t *row);
void table_free(text_table *t);

/* A cell's text in `format`, escaped for it: for pages that lay tables out themselves. attn_free it. */
char *table_cell_text(const text_table *t, size_t row, size_t column, table_format format, attn_error *error);
char *table_header_text(const text_table *t, size_t column, table_format format, attn_error *error);
/* Any text so that `format` shows it as it is. attn_free it. */
char *table_escape(const char *text, table_format format, attn_error *error);
/* Whether the column has numbers, and nothing else. */
int table_is_numeric(const text_table *t, size_t column);

/* For people: where an earlier row has the same text under `key`, the later one becomes "as NAME", NAME being what the
 * first of these rows has under `name`. */
void table_say_once(text_table *t, const char *key, const char *name);

#endif
