/* The live cache bytes that an earlier `attnbench paper --live` found, from its JSON. */
#ifndef REPORTS_PAPER_PAPER_FILE_H
#define REPORTS_PAPER_PAPER_FILE_H

#include "reports/paper/paper_audit.h"

/* Fails when the file is of other tables, or was made without --live. */
int paper_live_read(paper_live *live, const paper_tables *tables, const char *path, attn_error *error);

#endif
