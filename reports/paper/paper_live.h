/* Live cache bytes of the published rows: whole encoders of the identified geometries, with random weights,
 * run over as many frames as the tables stand for. */
#ifndef REPORTS_PAPER_PAPER_LIVE_H
#define REPORTS_PAPER_PAPER_LIVE_H

#include "reports/paper/paper_audit.h"

/* Runs every row and reads its caches; one progress line a row on stderr. */
int paper_live_run(paper_live *live, const paper_tables *tables, attn_error *error);

/* Reads and audits the published tables; with_live runs them too. */
int paper_audit_published(paper_tables *tables, paper_audit *audit, bool with_live, attn_error *error);

#endif
