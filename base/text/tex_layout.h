/* How a table stands on a page of A4 with margins of 2.5 cm. Widths are in em of the type's size. */
#ifndef BASE_TEXT_TEX_LAYOUT_H
#define BASE_TEXT_TEX_LAYOUT_H

#include "base/text/table.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct tex_column {
    size_t column;                /* of the table */
    double natural, least, width; /* of its longest cell, that it needs, that it gets */
    size_t header_letters;        /* of a line of its header */
    bool is_numeric;
    bool is_constant; /* the same text in every row of several */
    bool is_left_out;
} tex_column;

typedef struct tex_layout {
    tex_column *columns;
    size_t count;
    const char *size; /* footnotesize or scriptsize */
    bool landscape;
    bool is_long; /* more lines than a page has */
    bool fits;
} tex_layout;

/* Free with tex_layout_free, after a failure too. Portrait before landscape, and large type before small: the first of
 * these that the table fits in with rows of few lines. Where it does not fit in portrait, constant columns are left out. */
int tex_layout_make(tex_layout *l, const text_table *t, attn_error *error);
void tex_layout_free(tex_layout *l);

/* The column is narrower than its longest cell: its text breaks its lines. */
bool tex_column_breaks(const tex_column *c);

/* The length of the header's next line: as many words, or parts of words up to an underscore, as fit in `letters`
 * letters, and at least one. A space after it belongs to no line. */
size_t tex_header_line(const char *text, size_t letters);

#endif
