/* Tables in LaTeX, laid out for a page in portrait. */
#ifndef BASE_TEXT_TABLE_TEX_H
#define BASE_TEXT_TABLE_TEX_H

#include "base/text/table.h"

/* Small type and narrow gaps, headers of several lines, and columns of long text that break their lines. More rows than
 * a page has become a longtable; it needs no other package. */
int table_write_tex(const table *t, FILE *stream, attn_error *error);

#endif
