/* The ledger of claims: each that can be tested, with what was found. */
#ifndef REPORTS_PAPER_CLAIMS_H
#define REPORTS_PAPER_CLAIMS_H

#include "reports/data/measured.h"
#include "reports/paper/paper_audit.h"

/* What verdicts stand on; what is NULL was not given, and claims that need it are not measured. */
typedef struct claims_evidence {
    const paper_tables *tables;
    const report_data *results; /* of a sweep */
    const json_t *conversion;   /* rows of analyze --sweep --format json */
    const json_t *tuned;        /* rows of analyze --mha --mla --format json, of fine-tuned models */
    const json_t *study;        /* of study_by_model */
} claims_evidence;

extern const table_column claims_columns[];

/* Fills the table (table_free it): a row a published cell, then a row a claim. Judging takes some milliseconds: layers of
 * random weights are converted, and workspaces laid out. */
int claims_fill(table *t, const claims_evidence *evidence, attn_error *error);

/* A JSON file for the last three. json_decref *read. */
int claims_read(json_t **read, const char *path, attn_error *error);

#endif
