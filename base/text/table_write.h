/* Tables as Markdown, CSV, JSON or LaTeX. */
#ifndef BASE_TEXT_TABLE_WRITE_H
#define BASE_TEXT_TABLE_WRITE_H

#include "base/text/table.h"

/* json writes the array of rows with every key they have; csv is RFC 4180; md and tex start with the title. tex is made
 * to fit a page (table_tex.h). */
int table_write(const text_table *t, table_format format, FILE *stream, attn_error *error);

#endif
