/* What the published tables leave out: the true state of linear attention, the input cache, caches in f16 and q8_0,
 * subsampling, MB next to MiB. */
#ifndef REPORTS_PAPER_PAPER_ADDITIONS_H
#define REPORTS_PAPER_PAPER_ADDITIONS_H

#include "base/text/table.h"
#include "reports/paper/paper_data.h"

/* The types other than f32 that have rows; ended by f32. */
extern const attn_element paper_rounded_types[];
/* "mha q8_0". */
void paper_rounded_name(char name[PAPER_TEXT + 8], const paper_row *row, attn_element type);

/* Initialises and fills the table; a memory failure leaves its rows NULL. Returns how many of its live bytes are not the
 * formula's. */
size_t paper_additions_fill(text_table *additions, const paper_tables *tables, const paper_live *live);

#endif
