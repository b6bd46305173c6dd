/* Tables in LaTeX, laid out for a page of A4. */
#ifndef BASE_TEXT_TABLE_TEX_H
#define BASE_TEXT_TABLE_TEX_H

#include "base/text/table.h"

/* Small type and narrow gaps, headers of several lines, and columns of long text that break their lines. What is too wide
 * loses the columns whose text is the same in every row, which is said below the table instead, and then stands in
 * landscape. A table that is longer than a page becomes a longtable. Packages that it needs are in a comment. */
int table_write_tex(const text_table *t, FILE *stream, attn_error *error);

#endif
