/* What claims are judged by. */
#ifndef REPORTS_PAPER_CLAIMS_EVIDENCE_H
#define REPORTS_PAPER_CLAIMS_EVIDENCE_H

#include "reports/data/measured.h"
#include "reports/paper/paper_audit.h"

/* Bytes that a training pass of the paper's Conformer takes, by its layout; NaN where memory was too short for the model.
 * All but the last two are of mha. */
typedef struct claims_passes {
    double plain, half_batch, checkpoints, half_precision, mla, mla_simple;
} claims_passes;

/* What verdicts stand on; what is NULL was not given, and claims that need it are not measured. */
typedef struct claims_evidence {
    const paper_tables *tables;
    const report_data *results; /* of a sweep */
    const json_t *conversion;   /* rows of analyze --sweep --format json */
    const json_t *tuned;        /* rows of analyze --mha --mla --format json, of fine-tuned models */
    const json_t *study;        /* of study_by_model */
    claims_passes passes;       /* claims_fill sets them */
} claims_evidence;

#endif
