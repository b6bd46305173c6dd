/* The ledger of claims: each that can be tested, with what was found. */
#ifndef REPORTS_PAPER_CLAIMS_H
#define REPORTS_PAPER_CLAIMS_H

#include "base/text/table.h"
#include "reports/paper/claims/evidence.h"

/* Fills the table (table_free it): a row a published cell, then a row a claim. Judging takes some milliseconds: layers of
 * random weights are converted, and workspaces laid out. */
int claims_fill(text_table *t, const claims_evidence *evidence, attn_error *error);

/* A JSON file of evidence: `conversion`, `tuned`, or what `study` is made from. json_decref *read. */
int claims_read(json_t **read, const char *path, attn_error *error);

#endif
