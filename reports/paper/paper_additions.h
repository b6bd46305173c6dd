/* What the published tables leave out: the true state of linear attention, the input cache, subsampling, MB
 * next to MiB. */
#ifndef REPORTS_PAPER_PAPER_ADDITIONS_H
#define REPORTS_PAPER_PAPER_ADDITIONS_H

#include "base/text/table.h"
#include "reports/paper/paper_data.h"

/* Initialises and fills the table; a memory failure leaves its rows NULL. */
void paper_additions_fill(table *additions, const paper_tables *tables, const paper_live *live);

#endif
